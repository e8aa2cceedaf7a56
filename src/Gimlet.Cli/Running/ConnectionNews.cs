using System.Diagnostics;
using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>Tells what happens to a connection, in order: first that it is there, then its paths, and why it is relayed where it is.</summary>
internal sealed class ConnectionNews
{
    private readonly Lock _gate = new();
    private readonly GimletConnection _connection;
    private readonly IReporter _reporter;
    private readonly string? _peer;
    private (string Path, string? Remote)? _told;
    private RelayCause _toldCause;

    private ConnectionNews(GimletConnection connection, IReporter reporter, string? peer)
    {
        _connection = connection;
        _reporter = reporter;
        _peer = peer;
    }

    /// <summary>
    /// Tells that a connection is usable, and its changes of path from then on. A change that nobody could see (the same address, confirmed by
    /// the other side) is none.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="reporter">Where to.</param>
    /// <param name="namePeer">Every event names the peer, for commands that have several.</param>
    /// <param name="peerWorkerId">The peer's name at the workers' rendezvous, where it has one.</param>
    public static ConnectionNews Tell(GimletConnection connection, IReporter reporter, bool namePeer, string? peerWorkerId = null)
    {
        string? peer = Words.Of(connection.RemotePeer);
        var news = new ConnectionNews(connection, reporter, namePeer ? peer : null);
        ConnectionPath? path = connection.Path;
        RelayVerdict? why = Why(connection, path);
        news._told = Place(path);
        news._toldCause = why?.Cause ?? RelayCause.NotRelayed;
        reporter.Report(new ConnectedEvent(
            peer,
            connection.Call.ToString(),
            path is null ? null : Words.Of(path.Kind),
            path?.Remote?.ToString(),
            RoundTrip(path),
            connection.IsAuthenticated,
            Words.Milliseconds(connection.ConnectTime),
            why?.Explanation,
            why?.Cause.ToCauseString(),
            peerWorkerId));

        // A first handler also hears what came before it, so nothing falls into the gap; the calls come one at a time.
        connection.PathChanged += news.OnPathChanged;
        return news;
    }

    /// <summary>Why the data of a connection goes through a server; null where it does not.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="path">Its path.</param>
    public static RelayVerdict? Why(GimletConnection connection, ConnectionPath? path) =>
        path is { Kind: PathKind.Relay } && connection.WhyRelayed is { IsRelayed: true } why ? why : null;

    /// <summary>Tells why the connection is relayed, where that has become another reason; a search that fails changes no path, so nobody else says so.</summary>
    /// <param name="elapsed">Since the dial, or since the call came in.</param>
    public void Recheck(TimeSpan elapsed)
    {
        ConnectionPath? path = _connection.Path;
        if (Why(_connection, path) is not { } why)
        {
            return;
        }

        lock (_gate)
        {
            if (why.Cause != _toldCause && _told == Place(path))
            {
                Report(new PathChange(path, "still relayed", elapsed), why);
            }
        }
    }

    /// <summary>Looks for another reason every second, for commands that have no round trips of their own to do it with; ends with the connection.</summary>
    public async Task WatchAsync()
    {
        long start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (await Task.WhenAny(_connection.Closed, timer.WaitForNextTickAsync().AsTask()).ConfigureAwait(false) != _connection.Closed)
        {
            Recheck(_connection.ConnectTime + Stopwatch.GetElapsedTime(start));
        }
    }

    private void OnPathChanged(PathChange change)
    {
        lock (_gate)
        {
            if (_told != Place(change.Path))
            {
                _told = Place(change.Path);
                Report(change, Why(_connection, change.Path));
            }
        }
    }

    private void Report(PathChange change, RelayVerdict? why)
    {
        _toldCause = why?.Cause ?? RelayCause.NotRelayed;
        _reporter.Report(new PathEvent(
            _peer,
            change.Path is null ? null : Words.Of(change.Path.Kind),
            change.Path?.Remote?.ToString(),
            RoundTrip(change.Path),
            Words.Milliseconds(change.Elapsed),
            change.Reason,
            why?.Explanation,
            why?.Cause.ToCauseString()));
    }

    private static (string Path, string? Remote)? Place(ConnectionPath? path) => path is null ? null : (Words.Of(path.Kind), path.Remote?.ToString());

    // Zero means that there was none yet.
    private static double? RoundTrip(ConnectionPath? path) => path is { RoundTripTime.Ticks: > 0 } ? Words.Milliseconds(path.RoundTripTime) : null;
}
