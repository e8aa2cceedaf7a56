namespace Gimlet.Observability;

/// <summary>What the statistics follow of one connection: which path it uses, and that it ends once. Thread-safe.</summary>
/// <param name="statistics">Where it counts.</param>
/// <param name="path">The path that it begins on.</param>
/// <param name="pathNumber">What tells that path from others of its kind.</param>
internal sealed class ConnectionRecord(StatisticsCollector statistics, PathKind path, int pathNumber)
{
    private PathKind _path = path;
    private int _pathNumber = pathNumber;
    private bool _closed;

    /// <summary>
    /// The connection uses this path now. Counted only where it is another one; a pause without any path in between does not matter, and from relay to relay
    /// nothing is counted: the relay to a peer is one path.
    /// </summary>
    /// <param name="path">Its kind.</param>
    /// <param name="pathNumber">What tells it from others of its kind.</param>
    public void UsesPath(PathKind path, int pathNumber)
    {
        PathKind from;
        lock (statistics.Gate)
        {
            bool same = _path == path && (path == PathKind.Relay || _pathNumber == pathNumber);
            from = _path;
            _path = path;
            _pathNumber = pathNumber;
            if (_closed || same)
            {
                return;
            }

            switch ((from, path))
            {
                case (PathKind.Relay, PathKind.Direct):
                    statistics.Numbers.Upgrades++;
                    break;
                case (PathKind.Direct, PathKind.Relay):
                    statistics.Numbers.Downgrades++;
                    break;
                default:
                    statistics.Numbers.Migrations++;
                    break;
            }
        }

        statistics.Tell(from == PathKind.Relay ? GimletMeter.Upgrades : path == PathKind.Relay ? GimletMeter.Downgrades : GimletMeter.Migrations);
    }

    /// <summary>The connection has ended. Safe to call twice.</summary>
    public void Close()
    {
        lock (statistics.Gate)
        {
            if (!_closed)
            {
                _closed = true;
                statistics.CloseConnection();
            }
        }
    }
}
