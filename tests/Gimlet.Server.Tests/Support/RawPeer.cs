using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Channels;
using Gimlet.Connections;
using Gimlet.Hosting;
using Gimlet.Node;
using Gimlet.Quic;
using static Gimlet.Server.Tests.Support.Nodes;

namespace Gimlet.Server.Tests.Support;

/// <summary>A node without connections of its own: it registers, punches and speaks QUIC by itself, and says on control streams what the test says.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly NodeIdentity _identity = NodeIdentity.Create();
    private readonly NodeHost _host;
    private readonly QuicListener _listener;
    private readonly TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _direct = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;

    private RawPeer(GimletNodeOptions options)
    {
        _host = new NodeHost(options, _identity);
        _listener = _host.Quic.Listen(_host.QuicOptions.Server());
        _reading = ReadAsync();
    }

    public PeerId Id => _identity.Id;

    /// <summary>Completes when a direct path to some peer works.</summary>
    public Task Direct => _direct.Task;

    public static async Task<RawPeer> StartAsync(GimletServer server, BentGround? ground = null)
    {
        GimletNodeOptions options = Options(server.HttpUrls[0]);
        var peer = new RawPeer(ground is null ? options : options with { Ground = ground });
        peer._host.Start();
        await peer._registered.Task.Within();
        return peer;
    }

    /// <summary>The next QUIC connection of a peer that dialled.</summary>
    public Task<QuicConnection> AcceptAsync() => _listener.AcceptConnectionAsync(TestContext.Current.CancellationToken).Within();

    /// <summary>Takes the next connection, and says hello on its control stream.</summary>
    public async Task<RawControl> AnswerAsync(byte[] hello)
    {
        QuicConnection quic = await AcceptAsync();
        return new RawControl(quic, await quic.AcceptStreamAsync(TestContext.Current.CancellationToken).Within(), hello);
    }

    /// <summary>Dials a node by the relay.</summary>
    public async Task<RawControl> DialAsync(PeerId peer, byte[] hello, bool namesAddresses = true)
    {
        CallId call = _host.Run(static (host, _, _) => host.Core.NewCallId(), 0);
        var request = new DialRequest(call, peer, "test") { WantsPaths = namesAddresses };
        Assert.True(_host.Run(static (host, now, r) => host.Peers.TryBeginDial(r, now), request));
        QuicConnection quic = await _host.Quic.ConnectAsync(
            _host.Paths.ToRelay(peer, session: -1), _host.QuicOptions.Client("test", peer), TestContext.Current.CancellationToken).Within();
        return new RawControl(quic, await quic.OpenStreamAsync(QuicStreamType.Bidirectional, TestContext.Current.CancellationToken).Within(), hello);
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _host.DisposeAsync();
        await _reading.Within();
        _identity.Dispose();
    }

    private async Task ReadAsync()
    {
        await foreach (NodeEvent news in _host.Events.ReadAllAsync())
        {
            if (news is SessionRegistered)
            {
                _ = _registered.TrySetResult();
            }
            else if (news is CallConnected)
            {
                _ = _direct.TrySetResult();
            }
        }
    }
}

/// <summary>One side of a control stream in a test's hands.</summary>
internal sealed class RawControl
{
    private readonly Channel<(byte Type, byte[] Payload)> _heard = Channel.CreateUnbounded<(byte Type, byte[] Payload)>();

    public RawControl(QuicConnection quic, QuicStream stream, byte[] hello)
    {
        Quic = quic;
        Stream = stream;
        Said = Task.WhenAll(stream.WriteAsync(hello).AsTask(), ReadAsync(stream.Input));
    }

    public QuicConnection Quic { get; }

    public QuicStream Stream { get; }

    public Task Said { get; }

    public bool IsRelayed => Quic.CurrentPath.Value < 0;

    public Task SayAsync(byte type, byte[] payload) => Stream.WriteAsync(ControlMessages.Write(type, payload)).AsTask().Within();

    public Task SayAsync(RaceFinding finding) => SayAsync(ControlMessages.Finding, finding.Write());

    public Task SayAsync(PathKind decision) => SayAsync(ControlMessages.Decision, RaceDecision.Write(decision));

    /// <summary>The next message of this type; others are read over.</summary>
    public async Task<byte[]> HearAsync(byte type)
    {
        while (true)
        {
            (byte heard, byte[] payload) = await _heard.Reader.ReadAsync(TestContext.Current.CancellationToken).Within();
            if (heard == type)
            {
                return payload;
            }
        }
    }

    public async Task<RaceFinding> HearFindingAsync()
    {
        Assert.True(RaceFinding.TryRead(await HearAsync(ControlMessages.Finding), out RaceFinding finding));
        return finding;
    }

    public async Task<PathKind> HearDecisionAsync()
    {
        Assert.True(RaceDecision.TryRead(await HearAsync(ControlMessages.Decision), out PathKind winner));
        return winner;
    }

    /// <summary>Everything that was said has been read by the other side when this is over.</summary>
    public async Task PingAsync()
    {
        await Stream.WriteAsync(ControlMessages.WritePing(ControlMessages.Ping, 1)).AsTask().Within();
        _ = await HearAsync(ControlMessages.Pong);
    }

    private async Task ReadAsync(PipeReader input)
    {
        try
        {
            for (bool ended = false; !ended;)
            {
                ReadResult result = await input.ReadAsync();
                ReadOnlySequence<byte> buffer = result.Buffer;
                while (ControlMessages.TryRead(ref buffer, out byte type, out byte[] payload))
                {
                    _ = _heard.Writer.TryWrite((type, payload));
                }

                input.AdvanceTo(buffer.Start, buffer.End);
                ended = result.IsCompleted;
            }
        }
        catch (Exception e) when (e is QuicException or IOException)
        {
            // The connection has ended; whoever waits for a message is told.
        }

        _ = _heard.Writer.TryComplete();
    }
}
