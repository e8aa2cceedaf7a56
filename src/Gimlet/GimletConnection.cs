using System.Collections.Concurrent;
using Gimlet.Hosting;
using Gimlet.Node;

namespace Gimlet;

/// <summary>
/// An authenticated connection with a peer over a direct path. In this version it carries round trips only
/// (<see cref="PingAsync(CancellationToken)"/>); it stays alive, follows the peer to new addresses, and says when it cannot.
/// </summary>
public sealed class GimletConnection : IAsyncDisposable
{
    // How the peer is told that the application closed: nothing more specific is known.
    private const uint ApplicationClose = 0;

    // A peer that does not acknowledge a close within this is gone; the core gives up after 300 ms.
    private static readonly TimeSpan CloseWait = TimeSpan.FromSeconds(1);

    private readonly NodeHost _host;
    private readonly CallId _handle;
    private readonly ConcurrentDictionary<uint, TaskCompletionSource<PingResult>> _pings = new();
    private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EarlyNews<PathChange> _pathChanged = new();
    private readonly EarlyNews<PingReceived> _pingAnswered = new();
    private ConnectionPath? _path;
    private int _sequence;

    internal GimletConnection(NodeHost host, CallConnected connected)
    {
        _host = host;
        _handle = connected.Handle;
        Call = connected.Call;
        RemotePeer = connected.Peer;
        IsIncoming = connected.IsIncoming;
        IsAuthenticated = connected.IsAuthenticated;
        ConnectTime = connected.Elapsed;
        _path = ToPath(connected.Path);
    }

    /// <summary>
    /// The path in use has become another one, or has died. Raised one at a time, in order; must not block. What happened before the first
    /// handler was added is told to it first.
    /// </summary>
    public event Action<PathChange>? PathChanged
    {
        add => _pathChanged.Add(value);
        remove => _pathChanged.Remove(value);
    }

    /// <summary>
    /// A round trip of the peer was answered. Raised one at a time, in order; must not block. What happened before the first handler was
    /// added is told to it first.
    /// </summary>
    public event Action<PingReceived>? PingAnswered
    {
        add => _pingAnswered.Add(value);
        remove => _pingAnswered.Remove(value);
    }

    /// <summary>The id of the call, the same on both sides.</summary>
    public CallId Call { get; }

    /// <summary>Who is on the other side. Proven, where <see cref="IsAuthenticated"/> is true.</summary>
    public PeerId RemotePeer { get; }

    /// <summary>The peer dialled.</summary>
    public bool IsIncoming { get; }

    /// <summary>
    /// The peer has proven to be who was asked for. False only for a serverless connection to a bare address: then it is whoever answered there.
    /// </summary>
    public bool IsAuthenticated { get; }

    /// <summary>From the dial, or from the call's arrival, to the first authenticated round trip.</summary>
    public TimeSpan ConnectTime { get; }

    /// <summary>The path in use, after the end the last one; null while the old one has died and none works.</summary>
    public ConnectionPath? Path => Volatile.Read(ref _path);

    /// <summary>Completes with the reason when the connection has ended, whoever ended it.</summary>
    public Task<string> Closed => _closed.Task;

    /// <summary>Makes one authenticated round trip over the path in use.</summary>
    /// <param name="cancellationToken">Bounds the wait: a lost datagram is not repeated.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.Transport"/>: the connection has ended, or has no path at the moment.</exception>
    public Task<PingResult> PingAsync(CancellationToken cancellationToken = default) => PingAsync(out _, cancellationToken);

    /// <summary>Makes one authenticated round trip and tells its number at once, so that a lost one has a number too.</summary>
    /// <param name="sequence">The number.</param>
    /// <param name="cancellationToken">Bounds the wait: a lost datagram is not repeated.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.Transport"/>: the connection has ended, or has no path at the moment.</exception>
    public Task<PingResult> PingAsync(out int sequence, CancellationToken cancellationToken = default)
    {
        sequence = Interlocked.Increment(ref _sequence);
        return PingCoreAsync((uint)sequence, cancellationToken);
    }

    /// <summary>Ends the connection and tells the peer. Safe to call in any state, and twice.</summary>
    public async Task CloseAsync()
    {
        try
        {
            _host.Run(static (core, now, handle) => core.Hangup(handle, ApplicationClose, now), _handle);
            _ = await _closed.Task.WaitAsync(CloseWait).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The node was disposed meanwhile, and with it the call.
            End("the node was disposed");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    internal static ConnectionPath ToPath(PathInfo path) => new(PathKind.Direct, path.Remote.ToIPEndPoint(), path.Kind, path.RoundTripTime);

    internal void Handle(CallEvent news)
    {
        switch (news)
        {
            case CallPathChanged changed:
                ConnectionPath path = ToPath(changed.Path);
                Volatile.Write(ref _path, path);
                _pathChanged.Raise(new PathChange(path, changed.Reason, changed.Elapsed));
                break;
            case CallPathLost lost:
                Volatile.Write(ref _path, null);
                _pathChanged.Raise(new PathChange(null, "the path does not answer any more; others are being tried", lost.Elapsed));
                break;
            case CallPong pong:
                if (_pings.TryRemove(pong.Sequence, out TaskCompletionSource<PingResult>? waiting))
                {
                    _ = waiting.TrySetResult(new PingResult((int)pong.Sequence, pong.RoundTripTime, pong.Remote.ToIPEndPoint()));
                }

                break;
            case CallPinged pinged:
                _pingAnswered.Raise(new PingReceived((int)pinged.Sequence, pinged.Remote.ToIPEndPoint()));
                break;
            case CallClosed closed:
                End(closed.End switch
                {
                    Calls.CallEnd.ClosedByPeer => "closed by the peer",
                    Calls.CallEnd.PathLost => "the path died and no other was found",
                    _ => "closed by this side",
                });
                break;
            default:
                break;
        }
    }

    internal void End(string reason)
    {
        if (_closed.TrySetResult(reason))
        {
            foreach (uint sequence in _pings.Keys)
            {
                if (_pings.TryRemove(sequence, out TaskCompletionSource<PingResult>? waiting))
                {
                    _ = waiting.TrySetException(new GimletException(GimletErrorKind.Transport, $"The connection has ended: {reason}."));
                }
            }
        }
    }

    private async Task<PingResult> PingCoreAsync(uint sequence, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiting = new TaskCompletionSource<PingResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pings[sequence] = waiting;
        try
        {
            if (_closed.Task.IsCompleted || !_host.Run(static (core, now, s) => core.TryPing(s._handle, s.sequence, now), (_handle, sequence)))
            {
                string reason = _closed.Task.IsCompletedSuccessfully ? $"has ended: {await _closed.Task.ConfigureAwait(false)}" : "has no working path at the moment; it is being looked for";
                throw new GimletException(GimletErrorKind.Transport, $"The connection {reason}.");
            }

            return await waiting.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectDisposedException e)
        {
            // The node was disposed in this very moment, and the connection is about to be told.
            throw new GimletException(GimletErrorKind.Transport, "The connection has ended: the node was disposed.", innerException: e);
        }
        finally
        {
            _ = _pings.TryRemove(sequence, out _);

            // The end of the connection may be told to a round trip that nobody waits for any more: that is nobody's exception.
            _ = waiting.TrySetCanceled(CancellationToken.None) ? null : waiting.Task.Exception;
        }
    }
}
