using System.Buffers;
using System.Buffers.Binary;
using Gimlet.Connections;
using Gimlet.Quic;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Streams;

namespace Gimlet.Simulation;

/// <summary>What uses a connection. Called while the connection is drained; may write, read, open and close.</summary>
internal interface ISimApplication
{
    /// <summary>The connection was handed out.</summary>
    void Opened(SimConnection connection);

    /// <summary>Something happened on a stream that is not the control stream.</summary>
    void Take(SimConnection connection, in StreamEvent next);

    /// <summary>It has ended.</summary>
    void Closed(SimConnection connection, CloseReason reason);
}

/// <summary>
/// What <c>GimletConnection</c> and its member in <c>ConnectionTable</c> are together: a QUIC connection with its peer, its control stream and what it tells of
/// its paths.
/// </summary>
internal sealed class SimConnection(SimConnections owner, SimQuic quic, PeerId peer, string protocol)
{
    private readonly List<byte> _control = [];
    private readonly Queue<StreamEvent> _early = new();
    private ISimApplication? _application;

    public SimQuic Quic { get; } = quic;

    /// <summary>The node that it belongs to.</summary>
    public SimNode Node => owner.Node;

    /// <summary>The other side; empty for an incoming one until its handshake is complete.</summary>
    public PeerId Peer { get; set; } = peer;

    public string Protocol { get; } = protocol;

    public bool IsIncoming => Quic.IsServer;

    /// <summary>Its handshake is complete and the peer table counts it.</summary>
    public bool IsCounted { get; set; }

    /// <summary>It was handed out to the application.</summary>
    public bool IsOpen => _application is not null;

    public CloseReason? End { get; private set; }

    /// <summary>The number of the peer's process; 0 until its hello has come.</summary>
    public ulong PeerInstance { get; private set; }

    /// <summary>Whether it sends directly.</summary>
    public bool IsDirect => Quic.CurrentPath.Value > 0;

    /// <summary>Every path that it was on, with the time.</summary>
    public List<(TimeSpan At, QuicPath Path)> History { get; } = [];

    /// <summary>Hands it out.</summary>
    public void Open(ISimApplication application)
    {
        _application = application;
        application.Opened(this);
        while (_early.TryDequeue(out StreamEvent early))
        {
            application.Take(this, early);
        }
    }

    /// <summary>The client opens the control stream and says hello.</summary>
    public void BeginControl()
    {
        if (!IsIncoming && Quic.Core.Streams.TryOpen(StreamDirection.Bidirectional, out QuicStreamState? stream))
        {
            _ = stream.Write(ControlMessages.WriteHello(owner.Instance));
        }
    }

    public void Close(long code = CloseCodes.Normal, string reason = "closed by this side") => Quic.Close(code, reason);

    public void Take(in StreamEvent next)
    {
        if (next.Stream is { Id: 0 } control)
        {
            TakeControl(next.Kind, control);
        }
        else if (_application is { } application)
        {
            application.Take(this, next);
        }
        else
        {
            _early.Enqueue(next);
        }
    }

    public void HandleConnected()
    {
        History.Add((owner.Now, Quic.CurrentPath));
        owner.Post(() => owner.Connected(this));
    }

    // As GimletConnection.WatchPathsAsync, which runs on another thread a moment later.
    public void HandlePath(ConnectionEventKind kind, QuicPath path)
    {
        Node.Host.World.Trace?.Write(owner.Now, Node.Host.Name, $"# quic {kind} {owner.Describe(path)}");
        switch (kind)
        {
            case ConnectionEventKind.PathChanged:
                History.Add((owner.Now, path));
                break;
            case ConnectionEventKind.PathSilent or ConnectionEventKind.PathFailed when IsCounted:
                owner.Post(() => owner.Peers.HandleSilence(Peer, owner.Paths.AddressOf(path), owner.Now));
                break;
            case ConnectionEventKind.PeerMoved when IsCounted:
                owner.Post(() => owner.PeerMoved(this, path));
                break;
            default:
                break;
        }
    }

    public void HandleClosed(CloseReason reason)
    {
        if (End is null)
        {
            End = reason;
            Node.Host.World.Trace?.Write(owner.Now, Node.Host.Name, $"# connection closed: {reason}");
            owner.Post(() => owner.Ended(this));
            _application?.Closed(this, reason);
        }
    }

    private void TakeControl(StreamEventKind kind, QuicStreamState stream)
    {
        if (kind == StreamEventKind.Opened)
        {
            _ = stream.Write(ControlMessages.WriteHello(owner.Instance));
        }
        else if (kind == StreamEventKind.Readable)
        {
            Span<byte> chunk = stackalloc byte[256];
            for (int read = stream.Read(chunk); read > 0; read = stream.Read(chunk))
            {
                _control.AddRange(chunk[..read]);
            }

            var buffer = new ReadOnlySequence<byte>(_control.ToArray());
            while (ControlMessages.TryRead(ref buffer, out byte type, out byte[] payload))
            {
                if (type == ControlMessages.Hello)
                {
                    PeerInstance = BinaryPrimitives.ReadUInt64BigEndian(payload);
                    owner.Post(() => owner.HelloReceived(this));
                }
            }

            _control.RemoveRange(0, _control.Count - (int)buffer.Length);
        }
    }
}
