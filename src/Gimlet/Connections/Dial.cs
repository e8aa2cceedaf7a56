using Gimlet.Node;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <summary>One call of <c>ConnectAsync</c> from its beginning to its connection.</summary>
internal sealed class Dial(CallId call, PeerId peer, string protocol, PathPolicy policy, long startedAt)
{
    private readonly TaskCompletionSource<GimletConnection> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _alone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _routed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _introduced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private QuicConnection? _attempt;
    private bool _isClaimed;
    private int _staleConnections;
    private readonly TaskCompletionSource _direct = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The id that the application was told.</summary>
    public CallId Call { get; } = call;

    /// <summary>The id that both sides know it by: of a serverless dial another than the application was told, once there is a path.</summary>
    public CallId SharedCall { get; set; } = call;

    /// <summary>The call that is under way now; another one after a glare that came to nothing.</summary>
    public CallId CurrentCall { get; set; } = call;

    /// <summary>Whom; of a serverless dial to a bare address, empty until somebody answered.</summary>
    public PeerId Peer { get; set; } = peer;

    public string Protocol { get; } = protocol;

    public PathPolicy Policy { get; } = policy;

    public long StartedAt { get; } = startedAt;

    /// <summary>When its call began: the one that is under way now.</summary>
    public long BegunAt { get; private set; } = startedAt;

    /// <summary>The times of the race that it makes; null where it makes none.</summary>
    public RaceOptions? Race { get; init; }

    /// <summary>The peer's connection is waited for, not one of our own.</summary>
    public bool IsJoining { get; set; }

    /// <summary>Completes when the peer's connection is to be waited for.</summary>
    public Task Joined => Volatile.Read(ref _joined).Task;

    /// <summary>Completes when the peer's connection, which is being waited for, will not come.</summary>
    public Task Alone => Volatile.Read(ref _alone).Task;

    /// <summary>The call goes through a server; otherwise an address was exchanged by hand.</summary>
    public bool IsServerBased { get; init; } = true;

    /// <summary>How many attempts may meet what was left of an older connection before the dial gives up.</summary>
    public int MaxStaleConnections { get; init; } = ConnectOptions.DefaultMaxStaleConnections;

    /// <summary>Whose key the other side must have; false for a serverless dial to a bare address.</summary>
    public bool IsAuthenticated { get; init; } = true;

    /// <summary>The connection that is being made; null before it is begun and after it was given up.</summary>
    public QuicConnection? Attempt
    {
        set => Volatile.Write(ref _attempt, value);
    }

    /// <summary>A connection of its own is being made.</summary>
    public bool HasAttempt => Volatile.Read(ref _attempt) is not null;

    /// <summary>A connection has claimed it, and is or will be its outcome unless it dies first.</summary>
    public bool IsClaimed => Volatile.Read(ref _isClaimed);

    public Task<GimletConnection> Outcome => _outcome.Task;

    /// <summary>Completes when the peer was told of the call, and this side of the peer.</summary>
    public Task Introduced => _introduced.Task;

    /// <summary>Completes when a server carries the call.</summary>
    public Task Routed => _routed.Task;

    /// <summary>Completes when a direct path to the peer works, or fails when there is none.</summary>
    public Task Direct => _direct.Task;

    /// <summary>Takes the attempt: whoever gets it decides what becomes of it.</summary>
    public QuicConnection? TakeAttempt() => Interlocked.Exchange(ref _attempt, null);

    /// <summary>Takes this attempt, unless somebody has, or another one is under way.</summary>
    public bool TryTakeAttempt(QuicConnection attempt) => Interlocked.CompareExchange(ref _attempt, null, attempt) == attempt;

    /// <summary>An attempt met what was left of an older connection, which is cleared away by that; false when there were too many.</summary>
    public bool TakeStale() => ++_staleConnections < MaxStaleConnections;

    /// <summary>It is the connection that is being made now.</summary>
    public bool IsAttempt(QuicConnection quic) => Volatile.Read(ref _attempt) == quic;

    /// <summary>The peer's dial for the same protocol goes on, this one waits for its connection.</summary>
    public void Join()
    {
        // That a dial of the peer has ended before this says nothing of the one that goes on.
        ForgetAlone();
        IsJoining = true;
        _ = _joined.TrySetResult();
    }

    /// <summary>The peer's dial came to nothing: this one begins again, as another call.</summary>
    public void StartOver(CallId call, long now)
    {
        BegunAt = now;
        CurrentCall = call;
        SharedCall = call;
        ForgetAlone();
        IsJoining = false;
        Volatile.Write(ref _joined, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    /// <summary>No dial of the peer for the protocol is expected any more: because it came to nothing, unless a connection has claimed this dial.</summary>
    public void NoteAlone() => _ = !Volatile.Read(ref _isClaimed) && Volatile.Read(ref _alone).TrySetResult();

    /// <summary>One connection is the dial's outcome: the first that claims it, before anybody is told of either.</summary>
    public bool TryClaim() => Interlocked.Exchange(ref _isClaimed, true) == false;

    /// <summary>What claimed it has died before anybody was told.</summary>
    public void Release() => Volatile.Write(ref _isClaimed, false);

    public bool TryComplete(GimletConnection connection) => _outcome.TrySetResult(connection);

    public void Fail(Exception reason)
    {
        _ = _outcome.TrySetException(reason) ? _outcome.Task.Exception : null;
        _ = _routed.TrySetException(reason) ? _routed.Task.Exception : null;
        _ = _introduced.TrySetException(reason) ? _introduced.Task.Exception : null;
        _ = _direct.TrySetException(reason) ? _direct.Task.Exception : null;
    }

    public void NoteIntroduced() => _ = _introduced.TrySetResult();

    public void NoteRouted() => _ = _routed.TrySetResult();

    public void NoteDirect() => _ = _direct.TrySetResult();

    public void NoteNoDirect(GimletException reason) => _ = _direct.TrySetException(reason) ? _direct.Task.Exception : null;

    private void ForgetAlone() => Volatile.Write(ref _alone, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
