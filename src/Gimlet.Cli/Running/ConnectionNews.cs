using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>Tells what happens to a connection, in order: first that it is there, then its paths.</summary>
internal static class ConnectionNews
{
    /// <summary>
    /// Tells that a connection is usable, and its changes of path from then on. A change that nobody could see (the same address, confirmed by
    /// the other side) is none.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="reporter">Where to.</param>
    /// <param name="namePeer">Every event names the peer, for commands that have several.</param>
    public static void Tell(GimletConnection connection, IReporter reporter, bool namePeer)
    {
        string? peer = Words.Of(connection.RemotePeer);
        ConnectionPath? path = connection.Path;
        (string Path, string? Remote)? told = Place(path);
        reporter.Report(new ConnectedEvent(
            peer,
            connection.Call.ToString(),
            path is null ? null : Words.Of(path.Kind),
            path?.Remote?.ToString(),
            RoundTrip(path),
            connection.IsAuthenticated,
            Words.Milliseconds(connection.ConnectTime)));

        // A first handler also hears what came before it, so nothing falls into the gap; the calls come one at a time.
        connection.PathChanged += change =>
        {
            if (told != Place(change.Path))
            {
                told = Place(change.Path);
                reporter.Report(ToEvent(change, namePeer ? peer : null));
            }
        };
    }

    private static (string Path, string? Remote)? Place(ConnectionPath? path) => path is null ? null : (Words.Of(path.Kind), path.Remote?.ToString());

    // Zero means that there was none yet.
    private static double? RoundTrip(ConnectionPath? path) => path is { RoundTripTime.Ticks: > 0 } ? Words.Milliseconds(path.RoundTripTime) : null;

    private static PathEvent ToEvent(PathChange change, string? peer) => new(
        peer,
        change.Path is null ? null : Words.Of(change.Path.Kind),
        change.Path?.Remote?.ToString(),
        RoundTrip(change.Path),
        Words.Milliseconds(change.Elapsed),
        change.Reason);
}
