namespace Gimlet.Stun.Tests.Codec;

/// <summary>IANA's registries as tables: a number that was mistyped, or lost, fails here.</summary>
public sealed class RegistryTests
{
    private const string Attributes = """
        0x0001 MAPPED-ADDRESS
        0x0003 CHANGE-REQUEST
        0x0006 USERNAME
        0x0008 MESSAGE-INTEGRITY
        0x0009 ERROR-CODE
        0x000A UNKNOWN-ATTRIBUTES
        0x000C CHANNEL-NUMBER
        0x000D LIFETIME
        0x0012 XOR-PEER-ADDRESS
        0x0013 DATA
        0x0014 REALM
        0x0015 NONCE
        0x0016 XOR-RELAYED-ADDRESS
        0x0017 REQUESTED-ADDRESS-FAMILY
        0x0018 EVEN-PORT
        0x0019 REQUESTED-TRANSPORT
        0x001A DONT-FRAGMENT
        0x001B ACCESS-TOKEN
        0x001C MESSAGE-INTEGRITY-SHA256
        0x001D PASSWORD-ALGORITHM
        0x001E USERHASH
        0x0020 XOR-MAPPED-ADDRESS
        0x0022 RESERVATION-TOKEN
        0x0024 PRIORITY
        0x0025 USE-CANDIDATE
        0x0026 PADDING
        0x0027 RESPONSE-PORT
        0x002A CONNECTION-ID
        0x8000 ADDITIONAL-ADDRESS-FAMILY
        0x8001 ADDRESS-ERROR-CODE
        0x8002 PASSWORD-ALGORITHMS
        0x8003 ALTERNATE-DOMAIN
        0x8004 ICMP
        0x8022 SOFTWARE
        0x8023 ALTERNATE-SERVER
        0x8025 TRANSACTION_TRANSMIT_COUNTER
        0x8027 CACHE-TIMEOUT
        0x8028 FINGERPRINT
        0x8029 ICE-CONTROLLED
        0x802A ICE-CONTROLLING
        0x802B RESPONSE-ORIGIN
        0x802C OTHER-ADDRESS
        0x802D ECN-CHECK
        0x802E THIRD-PARTY-AUTHORIZATION
        0x8030 MOBILITY-TICKET
        """;

    private const string Legacy = """
        0x0002 RESPONSE-ADDRESS
        0x0004 SOURCE-ADDRESS
        0x0005 CHANGED-ADDRESS
        0x0007 PASSWORD
        0x000B REFLECTED-FROM
        """;

    private const string Private = """
        0xC6A0 GIMLET-OBSERVE
        0xC6A1 GIMLET-PROOF
        0xC6A2 GIMLET-HELLO
        0xC6A3 GIMLET-NOMINATION
        0xC6A4 GIMLET-PING
        0xC6A5 GIMLET-CLOSE
        """;

    private const string Errors = """
        300 400 401 403 405 420 437 438 440 441 442 443 446 447 486 487 500 508
        """;

    public static TheoryData<string, string> AttributeTable
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (string line in Lines())
            {
                string[] parts = line.Split(' ');
                rows.Add(parts[0], parts[1]);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(AttributeTable))]
    public void An_attribute_has_its_registered_number(string number, string name)
    {
        StunAttributeType type = Enum.Parse<StunAttributeType>(name.Replace("-", string.Empty, StringComparison.Ordinal)
            .Replace("_", string.Empty, StringComparison.Ordinal), ignoreCase: true);
        int value = Convert.ToInt32(number, 16);

        Assert.Equal(value, (int)type);
        Assert.Equal(value < 0x8000, type.IsComprehensionRequired());
    }

    [Fact]
    public void No_attribute_is_missing_from_the_table() =>
        Assert.Equal(Lines().Length, Enum.GetValues<StunAttributeType>().Length);

    [Fact]
    public void The_error_codes_are_the_registered_ones() =>
        Assert.Equal(
            Errors.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse),
            Enum.GetValues<StunErrorCode>().Select(code => (int)code));

    private static string[] Lines() =>
        [.. string.Join('\n', Attributes, Legacy, Private).Split('\n').Select(line => line.Trim())];
}
