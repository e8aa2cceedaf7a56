namespace Gimlet.Worker.Session;

/// <summary>
/// Connections that peers made before the offer that announces them came. One for each peer: its newest takes the place of its older one, which that peer has
/// given up or started again without. So a stranger, however often it dials, pushes out itself only.
/// </summary>
internal sealed class ParkedConnections
{
    /// <summary>
    /// Connections in all. Only whoever knows this worker's id can dial it, and each of them goes after the time that an offered peer may take; 16 of them are
    /// some megabytes at the most. Beyond it the oldest goes: it has waited longest for an offer that has not come.
    /// </summary>
    public const int Max = 16;

    // In the order in which they came.
    private readonly List<Parked> _parked = [];

    /// <summary>When the next one has waited long enough.</summary>
    public TimeSpan NextTimeout
    {
        get
        {
            TimeSpan next = TimeSpan.MaxValue;
            foreach (Parked parked in _parked)
            {
                next = parked.Until < next ? parked.Until : next;
            }

            return next;
        }
    }

    /// <summary>Keeps a connection for an offer.</summary>
    /// <param name="connection">Which.</param>
    /// <param name="peer">Whose key it has proven.</param>
    /// <param name="until">For how long.</param>
    /// <returns>The connection that it takes the place of, which is to be closed; null where there was room.</returns>
    public int? Park(int connection, PeerId peer, TimeSpan until)
    {
        int? gone = Take(peer);
        if (gone is null && _parked.Count == Max)
        {
            gone = _parked[0].Connection;
            _parked.RemoveAt(0);
        }

        _parked.Add(new Parked(connection, peer, until));
        return gone;
    }

    /// <summary>Takes the peer's connection; null where it has none.</summary>
    public int? Take(PeerId peer)
    {
        int at = _parked.FindIndex(p => p.Peer == peer);
        if (at < 0)
        {
            return null;
        }

        int connection = _parked[at].Connection;
        _parked.RemoveAt(at);
        return connection;
    }

    /// <summary>Takes one that has waited long enough; null where there is none.</summary>
    public int? TakeExpired(TimeSpan now)
    {
        int at = _parked.FindIndex(p => now >= p.Until);
        if (at < 0)
        {
            return null;
        }

        int connection = _parked[at].Connection;
        _parked.RemoveAt(at);
        return connection;
    }

    /// <summary>The connection has ended by itself.</summary>
    public void Remove(int connection) => _ = _parked.RemoveAll(p => p.Connection == connection);

    private readonly record struct Parked(int Connection, PeerId Peer, TimeSpan Until);
}
