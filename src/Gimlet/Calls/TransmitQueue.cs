using Gimlet.Sockets;

namespace Gimlet.Calls;

/// <summary>
/// Datagrams that the core wants sent, in order. Buffers are reused, so a check costs no allocation. Bounded: what does not fit is
/// dropped and counted, as a full socket would.
/// </summary>
internal sealed class TransmitQueue
{
    /// <summary>The largest STUN message of ours is a hello of 260 bytes; an answer to a server's padding is never sent.</summary>
    public const int BufferLength = 512;

    // A node's budget of checks for a whole second; a host that has not drained by then has stopped.
    private const int Capacity = 1024;

    private readonly Queue<Datagram> _queue = new();
    private readonly Stack<byte[]> _free = new();

    /// <summary>How many datagrams did not fit.</summary>
    public long Dropped { get; private set; }

    /// <summary>A buffer to build a datagram in; hand it to <see cref="Enqueue"/> or <see cref="Return"/>.</summary>
    public byte[] Rent() => _free.TryPop(out byte[]? buffer) ? buffer : new byte[BufferLength];

    public void Return(byte[] buffer) => _free.Push(buffer);

    /// <summary>Queues a datagram that was built in a rented buffer.</summary>
    /// <param name="remote">Where it goes.</param>
    /// <param name="from">The local address it leaves from; empty where the system may choose.</param>
    /// <param name="socket">Which of the node's sockets sends it.</param>
    /// <param name="buffer">The rented buffer.</param>
    /// <param name="length">How much of it is the datagram; 0 when the message did not fit, which sends nothing.</param>
    public void Enqueue(TransportAddress remote, TransportAddress from, NodeSocketKind socket, byte[] buffer, int length)
    {
        if (length == 0 || _queue.Count == Capacity)
        {
            Dropped++;
            Return(buffer);
            return;
        }

        _queue.Enqueue(new Datagram(remote, from, socket, buffer, length));
    }

    /// <summary>Takes the next datagram; give its buffer back with <see cref="Return"/> when it is sent.</summary>
    public bool TryDequeue(out Datagram datagram) => _queue.TryDequeue(out datagram);
}

/// <summary>A datagram on its way out.</summary>
internal readonly record struct Datagram(TransportAddress Remote, TransportAddress From, NodeSocketKind Socket, byte[] Buffer, int Length)
{
    public ReadOnlySpan<byte> Bytes => Buffer.AsSpan(0, Length);
}

/// <summary>Which socket of the node a datagram belongs to.</summary>
internal enum NodeSocketKind
{
    /// <summary>The one socket of the address family: everything that peers see.</summary>
    Main,

    /// <summary>A second IPv4 socket for filtering tests, whose mapping nothing else has opened (RFC 5780 section 4.4).</summary>
    Probe,
}
