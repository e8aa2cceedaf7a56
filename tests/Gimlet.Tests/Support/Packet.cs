using Gimlet.Calls;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Tests.Support;

/// <summary>What a datagram between two agents is.</summary>
internal enum PacketKind
{
    Check,
    Nomination,
    Ping,
    Close,
    Answer,
}

/// <summary>A datagram on the wire of a test.</summary>
internal sealed record Packet(TimeSpan SentAt, TransportAddress From, TransportAddress To, byte[] Bytes)
{
    public PacketKind Kind { get; } = KindOf(Bytes);

    public bool IsRequest => Kind != PacketKind.Answer;

    /// <summary>The number of a nomination; 0 in other packets.</summary>
    public uint Nomination => StunMessage.TryParse(Bytes, out StunMessage message) && message.TryGetGimletNomination(out uint number) ? number : 0;

    private static PacketKind KindOf(byte[] bytes)
    {
        Assert.True(StunMessage.TryParse(bytes, out StunMessage message));
        return message.Class != StunClass.Request ? PacketKind.Answer
            : message.TryGetGimletNomination(out _) ? PacketKind.Nomination
            : message.TryGetGimletPing(out _) ? PacketKind.Ping
            : message.TryGetGimletClose(out _) ? PacketKind.Close
            : PacketKind.Check;
    }
}
