using System.Buffers.Binary;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Hosting;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;
using Gimlet.Sockets;

namespace Gimlet.Quic;

/// <summary>
/// The way in for a <see cref="QuicEndpoint"/>: each receive loop of the sockets' owner has one. Datagrams of a batch are handed over by
/// <c>Receive</c>, and <see cref="Flush"/> follows once, so that a connection answers a batch with one acknowledgement. One thread at a time;
/// several receivers may run beside each other.
/// </summary>
public sealed class QuicReceiver
{
    private readonly EndpointHost _endpoint;
    private readonly KnownOrigin _known;
    private readonly List<ConnectionHost> _touched = [];
    private readonly byte[] _answer = new byte[StatelessAnswers.MaxLength];

    internal QuicReceiver(EndpointHost endpoint)
    {
        _endpoint = endpoint;
        _known = new KnownOrigin(endpoint.Sender);
    }

    /// <summary>
    /// The last <c>Receive</c> brought packets that are authentic and new: whoever carried them is on the way from the peer. What begins a connection does not count,
    /// because anybody can make it (RFC 9001 section 5.2).
    /// </summary>
    internal bool HeardAuthentic { get; private set; }

    /// <summary>Takes datagrams that came on a path which has a number already: a relay, or a peer that is known.</summary>
    /// <param name="path">Which path.</param>
    /// <param name="ecn">How they were marked.</param>
    /// <param name="datagrams">One behind the other; decrypted in place, so nothing of them can be used afterwards.</param>
    /// <param name="segmentSize">The length of each but the last, which may be shorter.</param>
    /// <param name="mayBegin">See <see cref="IDatagramOrigin.MayBegin"/>.</param>
    public void Receive(QuicPath path, EcnMark ecn, Span<byte> datagrams, int segmentSize, bool mayBegin = true)
    {
        _known.Path = path;
        _known.MayBegin = mayBegin;
        Receive(_known, ecn, datagrams, segmentSize);
    }

    /// <summary>Takes datagrams that came from one address.</summary>
    /// <param name="origin">Where they came from; asked only while this runs.</param>
    /// <param name="ecn">How they were marked.</param>
    /// <param name="datagrams">One behind the other; decrypted in place, so nothing of them can be used afterwards.</param>
    /// <param name="segmentSize">The length of each but the last, which may be shorter.</param>
    public void Receive(IDatagramOrigin origin, EcnMark ecn, Span<byte> datagrams, int segmentSize)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentSize);
        HeardAuthentic = false;
        if (datagrams.IsEmpty)
        {
            return;
        }

        TimeSpan now = _endpoint.Now;
        QuicMetrics.BatchReceived((datagrams.Length + segmentSize - 1) / segmentSize, datagrams.Length);
        EndpointCore<ConnectionHost> core = _endpoint.Core;
        while (!datagrams.IsEmpty)
        {
            Span<byte> datagram = datagrams[..Math.Min(segmentSize, datagrams.Length)];
            if (core.TryRoute(datagram, out ConnectionHost? connection))
            {
                datagrams = datagrams[HandRunTo(connection, now, origin, ecn, datagrams, segmentSize)..];
                continue;
            }

            datagrams = datagrams[datagram.Length..];
            HandleStranger(now, origin, ecn, datagram);
        }
    }

    /// <summary>The batch is complete: connections that got something of it answer.</summary>
    public void Flush()
    {
        if (_touched.Count == 0)
        {
            return;
        }

        TimeSpan now = _endpoint.Now;
        foreach (ConnectionHost connection in _touched)
        {
            lock (connection.Gate)
            {
                connection.Drain(now);
            }
        }

        _touched.Clear();
    }

    // All datagrams in a row that are for the same connection, under one lock.
    private int HandRunTo(ConnectionHost connection, TimeSpan now, IDatagramOrigin origin, EcnMark ecn, Span<byte> datagrams, int segmentSize)
    {
        int taken = 0;
        var path = new PathId(origin.Path.Value);
        lock (connection.Gate)
        {
            long before = connection.Core.Counters.PacketsReceived;
            do
            {
                Span<byte> datagram = datagrams.Slice(taken, Math.Min(segmentSize, datagrams.Length - taken));
                taken += datagram.Length;
                connection.HandleDatagram(now, path, (EcnCodepoint)ecn, datagram);
            }
            while (taken < datagrams.Length
                && _endpoint.Core.TryRoute(datagrams[taken..], out ConnectionHost? next)
                && next == connection);
            HeardAuthentic |= connection.Core.Counters.PacketsReceived != before;
            Touch(connection);
        }

        return taken;
    }

    private void HandleStranger(TimeSpan now, IDatagramOrigin origin, EcnMark ecn, Span<byte> datagram)
    {
        if (_endpoint.IsClosed)
        {
            return;
        }

        Span<byte> room = stackalloc byte[IDatagramOrigin.MaxAddressLength];
        int length = origin.WriteAddress(room, out int hostLength);
        var address = new StrangerAddress(room[..length], hostLength);
        StrangerVerdict<ConnectionHost> verdict = _endpoint.Core.HandleStranger(now, datagram, address, _answer, origin.MayBegin);
        switch (verdict.Action)
        {
            case StrangerAction.Answer:
                QuicMetrics.Answered(verdict.Kind);
                origin.Answer(_answer.AsSpan(0, verdict.AnswerLength));
                break;
            case StrangerAction.Reset:
                verdict.Connection!.HandleStatelessReset(now);
                break;
            case StrangerAction.Accept:
                Accept(now, origin, ecn, datagram, verdict.Start, address.Host);
                break;
            default:
                QuicMetrics.Drop(verdict.Reason);
                break;
        }
    }

    private void Accept(TimeSpan now, IDatagramOrigin origin, EcnMark ecn, Span<byte> datagram, in ServerStart start, ReadOnlySpan<byte> host)
    {
        if (_endpoint.Accept(origin, start, host) is not { } connection)
        {
            QuicMetrics.Drop(DropReason.NotServing);
            return;
        }

        bool isAuthentic;
        lock (connection.Gate)
        {
            connection.HandleDatagram(now, new PathId(origin.Path.Value), (EcnCodepoint)ecn, datagram);
            isAuthentic = connection.HasAuthentic;
            if (isAuthentic)
            {
                Touch(connection);
            }
        }

        if (isAuthentic)
        {
            connection.TellBegun();
            return;
        }

        // Invented bytes behind a header: nothing is kept for them.
        connection.Abandon();
        QuicMetrics.Drop(DropReason.NotAuthentic);
    }

    private void Touch(ConnectionHost connection)
    {
        if (!connection.IsTouched)
        {
            connection.IsTouched = true;
            _touched.Add(connection);
        }
    }

    /// <summary>An origin whose path is known: answers go out on it.</summary>
    private sealed class KnownOrigin(IDatagramSender sender) : IDatagramOrigin
    {
        public QuicPath Path { get; set; }

        public bool MayBegin { get; set; }

        public int WriteAddress(Span<byte> destination, out int hostLength)
        {
            hostLength = sizeof(int);
            BinaryPrimitives.WriteInt32BigEndian(destination, Path.Value);
            return sizeof(int);
        }

        public void Answer(ReadOnlySpan<byte> datagram) => _ = sender.Send(Path, datagram, datagram.Length, EcnMark.NotEct, out _);
    }
}
