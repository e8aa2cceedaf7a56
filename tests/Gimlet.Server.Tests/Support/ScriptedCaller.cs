using System.Net.WebSockets;
using System.Threading.Channels;
using Gimlet.Connections;
using Gimlet.Hosting;
using Gimlet.Quic;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Tests.Support;

/// <summary>A peer that calls as a node does and speaks QUIC by the relay, and whose control stream says what the test wants, or nothing.</summary>
internal sealed class ScriptedCaller : IDatagramSender, IAsyncDisposable
{
    private static readonly QuicPath ByRelay = new(-1);

    private readonly LiveNode _live;
    private readonly PeerId _peer;
    private readonly string _protocol;
    private readonly NodeQuicOptions _options;
    private readonly QuicEndpoint _endpoint;
    private readonly Channel<byte[]> _outgoing = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<SignalMessage> _incoming = Channel.CreateUnbounded<SignalMessage>();
    private readonly Task _sending;
    private readonly Task _receiving;

    private ScriptedCaller(LiveNode live, PeerId peer, string protocol)
    {
        (_live, _peer, _protocol) = (live, peer, protocol);
        _options = new NodeQuicOptions(live.Node.Identity, Nodes.Options());
        _endpoint = new QuicEndpoint(this, _options.Endpoint());
        _sending = Task.Run(SendAllAsync);
        _receiving = Task.Run(ReceiveAllAsync);
    }

    public PeerId Id => _live.Node.Id;

    public static async Task<ScriptedCaller> StartAsync(GimletServer server, PeerId peer, string protocol = "test") =>
        new(await LiveNode.RegisterAsync(server.HttpUrls[0]), peer, protocol);

    /// <summary>Calls, and completes a handshake; nothing is said on it.</summary>
    public async Task<QuicConnection> ShakeHandsAsync()
    {
        // Without candidates: nothing but the relay.
        await _live.SendAsync(_live.Node.Call(_peer) with { Protocol = _protocol, Candidates = [] });
        while (await _incoming.Reader.ReadAsync(TestContext.Current.CancellationToken).Within() is not IntroduceMessage)
        {
            // What else the server says is of no interest.
        }

        return await _endpoint.ConnectAsync(ByRelay, _options.Client(_protocol, _peer), TestContext.Current.CancellationToken).Within();
    }

    /// <summary>Says hello, as whoever stands by its connection does at once.</summary>
    public static async Task GreetAsync(QuicConnection connection)
    {
        QuicStream control = await connection.OpenStreamAsync(QuicStreamType.Bidirectional, TestContext.Current.CancellationToken).Within();
        await control.WriteAsync(ControlMessages.WriteHello(instance: 1), TestContext.Current.CancellationToken).Within();
    }

    public DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent)
    {
        sent = datagrams.Length;
        for (ReadOnlySpan<byte> rest = datagrams; !rest.IsEmpty; rest = rest[Math.Min(segmentSize, rest.Length)..])
        {
            _ = _outgoing.Writer.TryWrite(Frames.Single(_peer, rest[..Math.Min(segmentSize, rest.Length)]));
        }

        return DatagramSendResult.Sent;
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        _ = _outgoing.Writer.TryComplete();
        await _sending;
        await _live.CloseAsync();
        await _receiving;
        await _live.DisposeAsync();
        _options.Dispose();
    }

    private async Task SendAllAsync()
    {
        await foreach (byte[] frame in _outgoing.Reader.ReadAllAsync())
        {
            await _live.SendAsync(frame, WebSocketMessageType.Binary);
        }
    }

    private async Task ReceiveAllAsync()
    {
        QuicReceiver receiver = _endpoint.CreateReceiver();
        while (true)
        {
            (WebSocketMessageType type, byte[] frame) = await _live.NextFrameAsync();
            switch (type)
            {
                case WebSocketMessageType.Text when SignalCodec.TryRead(frame, out SignalMessage? message, out _):
                    _ = _incoming.Writer.TryWrite(message!);
                    break;
                case WebSocketMessageType.Binary:
                    foreach (byte[] datagram in Frames.Read(frame).Datagrams)
                    {
                        receiver.Receive(ByRelay, EcnMark.NotEct, datagram, datagram.Length);
                    }

                    receiver.Flush();
                    break;
                case WebSocketMessageType.Close:
                    return;
                default:
                    break;
            }
        }
    }
}
