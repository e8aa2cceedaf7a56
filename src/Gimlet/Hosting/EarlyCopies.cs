using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <summary>
/// While no direct path to a peer is proven, what goes to it by the relay goes to a few of its addresses as well, byte for byte: where the NATs let it through,
/// the handshake saves the detour. QUIC takes the first of two equal packets and drops the other (RFC 9000 section 12.3), so a copy that is lost costs nothing.
/// </summary>
/// <remarks>
/// Two kinds of addresses qualify: those that the rendezvous has proven to be the caller's, which is address validation by a token (RFC 9000 section 8.1.3), and those
/// that an authenticated check came from. Each gets no more than three times what came (section 8.1): whoever repeats the peer's datagrams from elsewhere makes
/// this node send no more than he could himself. Thread-safe; nothing is allocated per datagram.
/// </remarks>
internal sealed class EarlyCopies
{
    // An address per family, and what a NAT made of them.
    private const int MaxAddresses = 4;

    // RFC 9000 section 8.1: "an endpoint MUST limit the amount of data it sends to the unvalidated address to three times the amount of data received from that address."
    private const int Amplification = 3;

    private readonly Lock _gate = new();
    private Target[] _targets = [];

    /// <summary>Something came from an address of the peer, or is vouched for by its rendezvous.</summary>
    /// <param name="remote">The address.</param>
    /// <param name="received">How many bytes.</param>
    public void Note(in TransportAddress remote, int received)
    {
        if (Find(remote) is not { } target)
        {
            lock (_gate)
            {
                target = Find(remote) ?? new Target(remote);
                if (Array.IndexOf(_targets, target) < 0)
                {
                    if (_targets.Length == MaxAddresses)
                    {
                        return;
                    }

                    Volatile.Write(ref _targets, [.. _targets, target]);
                }
            }
        }

        target.Add(Amplification * received);
    }

    /// <summary>More came from an address that is known already; others are ignored.</summary>
    public void NoteMore(in TransportAddress remote, int received) => Find(remote)?.Add(Amplification * received);

    /// <summary>Sends copies wherever they fit.</summary>
    /// <param name="sockets">Where to send.</param>
    /// <param name="datagrams">What goes by the relay.</param>
    /// <param name="segmentSize">The length of each datagram but the last.</param>
    /// <returns>How many bytes left.</returns>
    public int Send(NodeSockets sockets, ReadOnlySpan<byte> datagrams, int segmentSize)
    {
        int sent = 0;
        foreach (Target target in Volatile.Read(ref _targets))
        {
            if (sockets.For(target.Remote) is { } socket && target.TryTake(datagrams.Length))
            {
                // Whatever becomes of it, the relay has them too.
                DatagramSendResult result = socket.SendSegments(datagrams, segmentSize, target.Remote, out int segments, default, default);
                sent += result == DatagramSendResult.Sent ? datagrams.Length : Math.Min(segments * segmentSize, datagrams.Length);
            }
        }

        return sent;
    }

    private Target? Find(in TransportAddress remote)
    {
        foreach (Target target in Volatile.Read(ref _targets))
        {
            if (target.Remote == remote)
            {
                return target;
            }
        }

        return null;
    }

    private sealed class Target(TransportAddress remote)
    {
        private long _credit;

        public TransportAddress Remote { get; } = remote;

        public void Add(int bytes) => Interlocked.Add(ref _credit, bytes);

        public bool TryTake(int bytes)
        {
            if (Interlocked.Add(ref _credit, -bytes) >= 0)
            {
                return true;
            }

            _ = Interlocked.Add(ref _credit, bytes);
            return false;
        }
    }
}
