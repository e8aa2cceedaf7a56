using Gimlet.Sockets;
using Gimlet.Stun.Server;

namespace Gimlet.Stun.Tests.Support;

/// <summary>Adds attributes to a request.</summary>
internal delegate void BuildRequest(ref StunMessageBuilder builder);

/// <summary>The kinds of servers that the tests ask.</summary>
internal static class Servers
{
    public static readonly TransportAddress A1P1 = TransportAddress.Parse("198.51.100.1:3478");
    public static readonly TransportAddress A2P2 = TransportAddress.Parse("198.51.100.2:3479");

    public static StunServerEndpoints Plain { get; } = new();

    public static StunServerEndpoints TwoPorts { get; } = new() { AlternatePort = 3479 };

    public static StunServerEndpoints Full { get; } = new()
    {
        AlternatePort = 3479,
        IPv4 = new StunAddressPair(A1P1, A2P2),
        IPv6 = new StunAddressPair(TransportAddress.Parse("[2001:db8:1::1]:1"), TransportAddress.Parse("[2001:db8:1::2]:1")),
    };

    public static byte[] Request(StunTransactionId id, BuildRequest? build = null, int size = 2048)
    {
        var builder = new StunMessageBuilder(new byte[size], StunClass.Request, StunMethod.Binding, id);
        build?.Invoke(ref builder);
        Assert.False(builder.Overflowed);
        return builder.Written.ToArray();
    }
}
