using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>Tells what happens to a connection, in order: first that it is there, then its paths.</summary>
internal static class ConnectionNews
{
    /// <summary>Tells that a connection is usable, and its changes of path from then on.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="reporter">Where to.</param>
    /// <param name="namePeer">Every event names the peer, for commands that have several.</param>
    /// <param name="first">What must happen before anything is written.</param>
    public static void Tell(GimletConnection connection, IReporter reporter, bool namePeer, Action? first = null)
    {
        var gate = new Lock();
        string? peer = Words.Of(connection.RemotePeer);
        lock (gate)
        {
            first?.Invoke();

            // Changes that come while the line below is written wait for it.
            connection.PathChanged += change =>
            {
                lock (gate)
                {
                    reporter.Report(ToEvent(change, namePeer ? peer : null));
                }
            };
            ConnectionPath? path = connection.Path;
            reporter.Report(new ConnectedEvent(
                peer,
                connection.Call.ToString(),
                path is null ? null : Words.Of(path.Kind),
                path?.Remote.ToString(),
                path is null ? null : Words.Milliseconds(path.RoundTripTime),
                connection.IsAuthenticated,
                Words.Milliseconds(connection.ConnectTime)));
        }
    }

    private static PathEvent ToEvent(PathChange change, string? peer) => new(
        peer,
        change.Path is null ? null : Words.Of(change.Path.Kind),
        change.Path?.Remote.ToString(),
        change.Path is null ? null : Words.Milliseconds(change.Path.RoundTripTime),
        Words.Milliseconds(change.Elapsed),
        change.Reason);
}
