using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Gimlet.Connections;
using Gimlet.Quic;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <summary>
/// One connection between two endpoints in memory, from the handshake over a second path to the close: what the first real one would pay for in compiled
/// code is some 300 ms, and is paid while the node registers.
/// </summary>
internal static class ConnectionRehearsal
{
    private const string Protocol = "rehearsal";
    private static readonly QuicPath Relay = new(1);
    private static readonly QuicPath Direct = new(2);

    // A rehearsal that does not end must not hold a start up; nothing depends on its success.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(2);

    public static async Task PlayAsync()
    {
        using var clientKey = NodeIdentity.Create();
        using var serverKey = NodeIdentity.Create();
        using var clientOptions = new NodeQuicOptions(clientKey, new GimletNodeOptions { Protocols = [Protocol] });
        using var serverOptions = new NodeQuicOptions(serverKey, new GimletNodeOptions { Protocols = [Protocol] });
        var toServer = new Wire(serverKey.Id);
        var toClient = new Wire(clientKey.Id);
        var client = new QuicEndpoint(toServer, clientOptions.Endpoint() with { ShutdownLinger = TimeSpan.Zero });
        await using ConfiguredAsyncDisposable endOfClient = client.ConfigureAwait(false);
        var server = new QuicEndpoint(toClient, serverOptions.Endpoint() with { ShutdownLinger = TimeSpan.Zero });
        await using ConfiguredAsyncDisposable endOfServer = server.ConfigureAwait(false);
        Task carrying = Task.WhenAll(Task.Run(() => toServer.CarryAsync(server)), Task.Run(() => toClient.CarryAsync(client)));
        try
        {
            using var bound = new CancellationTokenSource(Bound);
            await PlayAsync(client, clientOptions, server, serverOptions, clientKey.Id, serverKey.Id, bound.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or QuicException or GimletException)
        {
            // A machine too busy to play it in time pays when the first call comes.
        }
        finally
        {
            toServer.Complete();
            toClient.Complete();
            await carrying.ConfigureAwait(false);
        }
    }

    private static async Task PlayAsync(
        QuicEndpoint client, NodeQuicOptions clientOptions, QuicEndpoint server, NodeQuicOptions serverOptions, PeerId clientId, PeerId serverId, CancellationToken bound)
    {
        QuicListener listener = server.Listen(serverOptions.Server());
        await using ConfiguredAsyncDisposable endOfListener = listener.ConfigureAwait(false);
        QuicConnection dialled = client.BeginConnect(Relay, clientOptions.Client(Protocol, serverId));
        _ = dialled.TryUsePath(Direct);
        await dialled.Connected.WaitAsync(bound).ConfigureAwait(false);
        var owner = new Owner();
        long now = TimeProvider.System.GetTimestamp();
        var ofClient = new GimletConnection(owner, dialled, new ConnectionBirth(serverId, default, IsAuthenticated: true, PathPolicy.RelayThenDirect, now));
        ofClient.Start();
        await using ConfiguredAsyncDisposable endOfOfClient = ofClient.ConfigureAwait(false);
        await ofClient.BeginControlAsync().ConfigureAwait(false);
        Task<PingResult> ping = ofClient.PingAsync(bound);
        QuicConnection accepted = await listener.AcceptConnectionAsync(bound).ConfigureAwait(false);
        _ = accepted.TryUsePath(Direct);
        var ofServer = new GimletConnection(owner, accepted, new ConnectionBirth(clientId, default, IsAuthenticated: true, PathPolicy.RelayThenDirect, now));
        ofServer.Start();
        await using ConfiguredAsyncDisposable endOfOfServer = ofServer.ConfigureAwait(false);
        _ = await ping.ConfigureAwait(false);
        QuicStream stream = await ofClient.OpenStreamAsync(cancellationToken: bound).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable endOfStream = stream.ConfigureAwait(false);
        await stream.WriteAsync(new byte[1], completeWrites: true, bound).ConfigureAwait(false);
        QuicStream came = await ofServer.AcceptStreamAsync(bound).ConfigureAwait(false);
        await using ConfiguredAsyncDisposable endOfCame = came.ConfigureAwait(false);
        _ = await came.ReadAsync(new byte[1], bound).ConfigureAwait(false);
        _ = dialled.AbandonPath(Direct, Relay);
        _ = await ofServer.PingAsync(bound).ConfigureAwait(false);
    }

    /// <summary>One direction in memory: the relay's frames on the one path, plain datagrams on the other.</summary>
    private sealed class Wire(PeerId to) : IDatagramSender
    {
        private readonly Channel<(QuicPath Path, byte[] Bytes, int SegmentSize)> _queue = Channel.CreateUnbounded<(QuicPath, byte[], int)>();

        public DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent)
        {
            sent = datagrams.Length;
            using var frame = new RelayedFrame(to, datagrams, segmentSize);
            byte[] bytes = path == Relay ? frame.Bytes.ToArray() : datagrams.ToArray();
            return _queue.Writer.TryWrite((path, bytes, segmentSize)) ? DatagramSendResult.Sent : DatagramSendResult.Failed;
        }

        public IPEndPoint? GetRemoteEndPoint(QuicPath path) => null;

        public async Task CarryAsync(QuicEndpoint endpoint)
        {
            QuicReceiver receiver = endpoint.CreateReceiver();
            await foreach ((QuicPath path, byte[] bytes, int segmentSize) in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                if (path != Relay)
                {
                    receiver.Receive(path, EcnMark.NotEct, bytes, segmentSize);
                }
                else if (RelayFrame.TryRead(bytes, out RelayFrame header))
                {
                    receiver.Receive(path, EcnMark.NotEct, bytes.AsSpan(header.HeaderLength), header.SegmentSize);
                }

                receiver.Flush();
            }
        }

        public void Complete() => _queue.Writer.Complete();
    }

    /// <summary>Keeps nothing.</summary>
    private sealed class Owner : IConnectionOwner
    {
        public ulong Instance => 1;

        public TimeProvider Time => TimeProvider.System;

        public ConnectionPath Describe(QuicConnection quic) => new(PathKind.Relay, null, CandidateKind.Relayed, quic.GetStatistics().Rtt);

        public IReadOnlyList<ConnectionPathFigures> DescribeAll(QuicConnection quic) => [];

        public void PathSilent(GimletConnection connection, QuicPath path)
        {
        }

        public void PeerMoved(GimletConnection connection, QuicPath path)
        {
        }

        public void HandlerFailed(Exception exception)
        {
        }

        public void HelloReceived(GimletConnection connection)
        {
        }

        public void Ended(GimletConnection connection)
        {
        }

        public void CountMove(PathKind from, PathKind to, GimletConnection connection)
        {
        }

        public RelayVerdict Explain(GimletConnection connection) => RelayVerdict.NotRelayed;

        public bool IsDirect(GimletConnection connection) => false;

        public RaceSide DescribeRace(GimletConnection connection) =>
            new(new RaceLeg(RaceOutcome.NotTried, TimeSpan.Zero), new RaceLeg(RaceOutcome.Works, connection.ConnectTime), []);

        public void Settle(GimletConnection connection, PathKind winner)
        {
        }
    }
}
