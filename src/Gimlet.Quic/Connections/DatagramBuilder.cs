using System.Runtime.CompilerServices;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>
/// Writes the packets of one datagram behind each other and seals them at the end, when it is known which one is the last and gets the padding
/// (RFC 9000 sections 12.2, 14.1). At most one packet of each space.
/// </summary>
internal ref struct DatagramBuilder
{
    private readonly IPacketWriter _owner;
    private readonly Span<byte> _datagram;
    private Packets _packets;
    private int _count;
    private int _position;

    public DatagramBuilder(IPacketWriter owner, Span<byte> datagram)
    {
        _owner = owner;
        _datagram = datagram;
    }

    /// <summary>What a packet costs besides its header: the tag.</summary>
    private const int Overhead = PacketCiphers.TagLength;

    /// <summary>Whether nothing was committed.</summary>
    public readonly bool IsEmpty => _count == 0;

    /// <summary>Begins a packet.</summary>
    /// <param name="space">Its space.</param>
    /// <param name="writer">Room for its frames.</param>
    /// <returns>False where there is no room for a header and a frame.</returns>
    public bool TryBegin(PacketSpace space, out WireWriter writer)
    {
        writer = default;
        Span<byte> rest = _datagram[_position..];
        long number = _owner.NextPacketNumber(space);
        if (rest.Length < _owner.HeaderLength(space, number) + Overhead + PacketNumber.MaxLength)
        {
            return false;
        }

        PacketLayout layout = _owner.WriteHeader(space, number, rest);
        _packets[_count] = new Packet(space, _position, layout, number, payloadLength: 0);
        writer = new WireWriter(rest[layout.PayloadOffset..^Overhead]);
        return true;
    }

    /// <summary>Keeps the packet that was begun.</summary>
    /// <param name="payloadLength">Its frames in bytes; 0 forgets it.</param>
    public void Commit(int payloadLength)
    {
        if (payloadLength == 0)
        {
            return;
        }

        Packet begun = _packets[_count];
        int padded = Math.Max(payloadLength, HeaderProtection.MinPayloadLength(begun.Layout.PacketNumberLength));
        _packets[_count] = new Packet(begun.Space, begun.Start, begun.Layout, begun.Number, padded);
        Pad(begun, payloadLength, padded);
        _count++;
        _position = begun.Start + begun.Layout.PayloadOffset + padded + Overhead;
    }

    /// <summary>Pads the last packet, if that is wanted, and seals all.</summary>
    /// <param name="fullSize">The least length of the datagram in bytes, or 0.</param>
    /// <returns>The datagram in bytes; 0 when nothing was committed.</returns>
    public int Finish(int fullSize)
    {
        if (_count == 0)
        {
            return 0;
        }

        bool isPadded = _position < fullSize;
        if (isPadded)
        {
            Packet last = _packets[_count - 1];
            int longer = last.PayloadLength + fullSize - _position;
            Pad(last, last.PayloadLength, longer);
            _packets[_count - 1] = new Packet(last.Space, last.Start, last.Layout, last.Number, longer);
            _position = fullSize;
        }

        for (int i = 0; i < _count; i++)
        {
            Packet packet = _packets[i];
            _owner.Seal(
                packet.Space, _datagram[packet.Start..], packet.Layout, packet.Number, packet.PayloadLength, isPadded && i == _count - 1);
        }

        return _position;
    }

    private readonly void Pad(in Packet packet, int from, int to) =>
        _datagram.Slice(packet.Start + packet.Layout.PayloadOffset + from, to - from).Clear();

    private readonly struct Packet(PacketSpace space, int start, PacketLayout layout, long number, int payloadLength)
    {
        public PacketSpace Space { get; } = space;

        public int Start { get; } = start;

        public PacketLayout Layout { get; } = layout;

        public long Number { get; } = number;

        public int PayloadLength { get; } = payloadLength;
    }

    [InlineArray(3)]
    private struct Packets
    {
        private Packet _first;
    }
}
