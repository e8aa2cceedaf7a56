using Gimlet.Stun.Attributes;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Codec;

/// <summary>Every reader against every truncation and ten thousand mutations of valid messages.</summary>
public sealed class BadInputTests
{
    public static TheoryData<string> Names =>
    [
        "everything", "check", "rfc5769-2.1-request", "rfc5769-2.2-ipv4-response", "rfc5769-2.3-ipv6-response", "rfc5769-2.4-long-term",
        "rfc8489-b1",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void No_truncation_makes_a_reader_throw_and_none_is_taken_for_a_message(string name)
    {
        foreach (byte[] bytes in Mutations.Truncations(Sample(name)))
        {
            Assert.False(ReadAll(bytes));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void No_mutation_makes_a_reader_throw(string name)
    {
        int parsed = 0;
        foreach (byte[] bytes in Mutations.Random(Sample(name), seed: 5769, stun: true))
        {
            parsed += ReadAll(bytes) ? 1 : 0;
        }

        // Had all been turned away by the header's check, the attributes' readers would not have been tried at all.
        Assert.InRange(parsed, Mutations.Count / 20, Mutations.Count);
    }

    private static byte[] Sample(string name) => name switch
    {
        "everything" => Samples.Everything(),
        "check" => Samples.Check("key"u8),
        _ => Vector.Read(name),
    };

    private static bool ReadAll(byte[] bytes)
    {
        _ = StunMessage.LooksLikeStun(bytes);
        _ = StunMessage.TryParse(bytes, out _);
        if (!StunMessage.TryParseAny(bytes, out StunMessage message))
        {
            return false;
        }

        foreach (StunAttribute attribute in message)
        {
            Assert.InRange(attribute.Value.Length, 0, bytes.Length - 24);
        }

        _ = message.Class;
        _ = message.Method;
        _ = message.TransactionId;
        _ = message.TryGetMappedAddress(out _);
        _ = message.TryGetXorMappedAddress(out _);
        _ = message.TryGetSourceAddress(out _);
        _ = message.TryGetChangedAddress(out _);
        _ = message.TryGetResponseOrigin(out _);
        _ = message.TryGetOtherAddress(out _);
        _ = message.TryGetAlternateServer(out _);
        _ = message.TryGetErrorCode(out _, out _);
        if (message.TryGetUnknownAttributes(out UnknownAttributeList types))
        {
            for (int i = 0; i < types.Count; i++)
            {
                _ = types[i];
            }
        }

        _ = message.TryGetUsername(out _);
        _ = message.TryGetSoftware(out _);
        _ = message.TryGetChangeRequest(out _);
        _ = message.TryGetResponsePort(out _);
        _ = message.TryGetPadding(out _);
        _ = message.TryGetPriority(out _);
        _ = message.TryGetIceControlled(out _);
        _ = message.TryGetIceControlling(out _);
        _ = message.HasUseCandidate();
        _ = message.HasGimletObserve();
        _ = message.TryGetGimletProof(out _);
        _ = message.TryGetGimletHello(out _);
        _ = message.TryGetGimletNomination(out _);
        _ = message.TryGetGimletPing(out _);
        _ = message.TryGetGimletClose(out _);
        _ = message.VerifyMessageIntegrity("key"u8);
        _ = message.VerifyMessageIntegritySha256("key"u8);
        _ = message.VerifyFingerprint();
        return true;
    }
}
