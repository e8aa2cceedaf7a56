using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>
/// Packets that came before their keys: overtaken by the network, not wrong. RFC 9001 section 5.7 permits to keep them; without, each one costs a
/// probe timeout. Bounded, because whoever sees a connection id can send such packets.
/// </summary>
internal sealed class UndecryptablePackets
{
    // A server's flight with a long certificate chain is three datagrams, a client's first data as much again.
    private const int MaxPackets = 10;

    private readonly Queue<Kept> _packets = new();

    /// <summary>A packet and how it came.</summary>
    public readonly record struct Kept(byte[] Bytes, PathId Path, EcnCodepoint Ecn, int DatagramLength);

    public int Count => _packets.Count;

    /// <summary>Keeps a copy, if there is room.</summary>
    public bool TryAdd(ReadOnlySpan<byte> packet, PathId path, EcnCodepoint ecn, int datagramLength)
    {
        if (_packets.Count == MaxPackets)
        {
            return false;
        }

        _packets.Enqueue(new Kept(packet.ToArray(), path, ecn, datagramLength));
        return true;
    }

    public bool TryTake(out Kept packet) => _packets.TryDequeue(out packet);

    public void Clear() => _packets.Clear();
}
