using Gimlet.Quic.Connections;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Paths.Support;

/// <summary>A table of routes that fails the test when it is told nonsense.</summary>
internal sealed class FakeRoutes : IConnectionRoutes
{
    private int _next = 1;

    public HashSet<ConnectionId> Ids { get; } = [];

    public HashSet<StatelessResetToken> Tokens { get; } = [];

    public ConnectionId Issue(out StatelessResetToken token)
    {
        ConnectionId id = Id(_next);
        token = Token(_next++);
        Assert.True(Ids.Add(id));
        return id;
    }

    public void Retire(in ConnectionId id) => Assert.True(Ids.Remove(id), $"{id} was not issued, or was retired before.");

    public void AddResetToken(in StatelessResetToken token) => Assert.True(Tokens.Add(token), "The token was added before.");

    public void RemoveResetToken(in StatelessResetToken token) => Assert.True(Tokens.Remove(token), "The token was not added, or was removed before.");

    public static ConnectionId Id(long number) => new([0xc1, 0xd0, 0, 0, (byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number]);

    public static StatelessResetToken Token(long number) => new(TokenBytes(number));

    public static byte[] TokenBytes(long number) =>
        [0x70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number];
}
