using System.Buffers.Binary;
using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <summary>
/// First datagrams of connections that came directly from a peer before the server's word of its dial did: over a short path they may be sooner, and a dial whose
/// first datagram is dropped waits for a probe timeout. Only addresses that checks have proven get here; a stranger leaves nothing. Safe from any thread.
/// </summary>
internal sealed class HeldInitials
{
    /// <summary>Of one peer: a first flight has one datagram or two, and a dial or two may be under way. Beyond it the peer's oldest goes.</summary>
    public const int MaxPerPeer = 4;

    /// <summary>Of all peers together: some 100 KB. Beyond it the oldest goes, which costs its dial the probe timeout.</summary>
    public const int Max = 64;

    /// <summary>The server's word is some milliseconds late, or a lost segment of TCP; after this the client has sent its Initial again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();

    // In the order in which they came.
    private readonly List<HeldInitial> _held = [];
    private volatile int _count;

    /// <summary>How many there are.</summary>
    public int Count => _count;

    /// <summary>A datagram that begins with an Initial packet of QUIC version 1, of the size that may begin a connection (RFC 9000 sections 14.1 and 17.2.2).</summary>
    public static bool IsInitial(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= 1200 && (datagram[0] & 0xF0) == 0xC0 && BinaryPrimitives.ReadUInt32BigEndian(datagram[1..]) == 1;

    /// <summary>Keeps a datagram.</summary>
    public void Hold(HeldInitial initial)
    {
        lock (_gate)
        {
            if (_held.Count(h => h.Peer == initial.Peer) >= MaxPerPeer)
            {
                _held.RemoveAt(_held.FindIndex(h => h.Peer == initial.Peer));
            }
            else if (_held.Count == Max)
            {
                _held.RemoveAt(0);
            }

            _held.Add(initial);
            _count = _held.Count;
        }
    }

    /// <summary>Takes the oldest datagram of a peer whose dial is expected now.</summary>
    public bool TryTake(TimeSpan now, Predicate<PeerId> isExpected, out HeldInitial initial)
    {
        initial = default;
        if (_count == 0)
        {
            return false;
        }

        lock (_gate)
        {
            _ = _held.RemoveAll(h => now - h.At >= Lifetime);
            int at = _held.FindIndex(h => isExpected(h.Peer));
            if (at >= 0)
            {
                initial = _held[at];
                _held.RemoveAt(at);
            }

            _count = _held.Count;
            return at >= 0;
        }
    }

    /// <summary>Drops what has waited long enough.</summary>
    public void DropLate(TimeSpan now)
    {
        if (_count > 0)
        {
            lock (_gate)
            {
                _ = _held.RemoveAll(h => now - h.At >= Lifetime);
                _count = _held.Count;
            }
        }
    }

    /// <summary>The peer is a stranger from now on.</summary>
    public void Forget(PeerId peer)
    {
        if (_count > 0)
        {
            lock (_gate)
            {
                _ = _held.RemoveAll(h => h.Peer == peer);
                _count = _held.Count;
            }
        }
    }
}

/// <summary>A datagram that waits for the word of its dial.</summary>
/// <param name="Peer">Whose address it came from.</param>
/// <param name="Local">Where it came to.</param>
/// <param name="Remote">Where it came from.</param>
/// <param name="Ecn">How it was marked.</param>
/// <param name="Bytes">The datagram.</param>
/// <param name="At">When it came.</param>
internal readonly record struct HeldInitial(PeerId Peer, TransportAddress Local, TransportAddress Remote, EcnMark Ecn, byte[] Bytes, TimeSpan At);
