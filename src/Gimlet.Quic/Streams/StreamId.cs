using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams;

/// <summary>What a stream's id says (RFC 9000 section 2.1). Frames carry the plain number.</summary>
/// <param name="Value">0 to 2^62 - 1.</param>
internal readonly record struct StreamId(long Value)
{
    // RFC 9000 section 2.1: the least significant bit tells the initiator, 0 the client; the second least significant bit the direction.
    private const long ServerBit = 0x01;
    private const long UnidirectionalBit = 0x02;
    private const int TypeBits = 2;

    /// <summary>Who opens the stream.</summary>
    public EndpointRole Initiator => (Value & ServerBit) == 0 ? EndpointRole.Client : EndpointRole.Server;

    /// <summary>Who may send on it.</summary>
    public StreamDirection Direction => (Value & UnidirectionalBit) == 0 ? StreamDirection.Bidirectional : StreamDirection.Unidirectional;

    /// <summary>Which stream of its type it is, from 0.</summary>
    public long Index => Value >> TypeBits;

    /// <summary>Makes an id.</summary>
    /// <param name="initiator">Who opens the stream.</param>
    /// <param name="direction">Who may send on it.</param>
    /// <param name="index">Which of its type, from 0.</param>
    public static StreamId Create(EndpointRole initiator, StreamDirection direction, long index) => new(
        (index << TypeBits)
        | (direction == StreamDirection.Unidirectional ? UnidirectionalBit : 0)
        | (initiator == EndpointRole.Server ? ServerBit : 0));
}
