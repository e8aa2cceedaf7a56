using Gimlet.Server.Observability;

namespace Gimlet.Server.Relay;

/// <summary>
/// One session's part in relaying: as a sender its rate and what it is told, as a receiver who may send to it and what waits for it.
/// </summary>
internal sealed class RelaySession(RendezvousLimits limits, RelayMemory memory, ServerMetrics metrics, TimeSpan now)
{
    private readonly Lock _gate = new();
    private RelayQueue? _inbox;
    private bool _closed;

    public RelayMeter Meter { get; } = new(limits.RelayBytesPerSecond, limits.RelayFramesPerSecond, now);

    public PermissionTable Permissions { get; } = new(limits.RelayPeersPerNode);

    public RelayNotices Notices { get; } = new(limits);

    /// <summary>What waits for this session; made with its first frame, so that a node that is never relayed to has none.</summary>
    public RelayQueue Inbox => Volatile.Read(ref _inbox) ?? MakeInbox();

    /// <summary>The session is over: what waits is given back, and what still comes too.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _inbox?.Close();
        }
    }

    private RelayQueue MakeInbox()
    {
        lock (_gate)
        {
            if (_inbox is null)
            {
                var inbox = new RelayQueue(memory, metrics);
                if (_closed)
                {
                    inbox.Close();
                }

                Volatile.Write(ref _inbox, inbox);
            }

            return _inbox;
        }
    }
}
