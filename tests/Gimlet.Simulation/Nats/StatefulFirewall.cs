using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>Lets in only what answers something that went out (RFC 6092 section 3.2); translates nothing.</summary>
internal sealed class StatefulFirewall(FirewallBehaviour behaviour)
{
    private readonly Dictionary<TransportAddress, Session> _sessions = [];

    public FirewallBehaviour Behaviour { get; } = behaviour;

    public void Outbound(TimeSpan now, TransportAddress inside, TransportAddress remote)
    {
        if (!_sessions.TryGetValue(inside, out Session? session))
        {
            session = new Session(new Permissions(Behaviour.Filtering));
            _sessions.Add(inside, session);
        }

        session.Permissions.Note(remote, now);
        session.LastOutbound = now;
    }

    public bool Admits(TimeSpan now, TransportAddress remote, TransportAddress inside) =>
        _sessions.TryGetValue(inside, out Session? session)
        && now - session.LastOutbound < Behaviour.Timeout
        && session.Permissions.Admits(remote, now - Behaviour.Timeout);

    public void Reset() => _sessions.Clear();

    private sealed class Session(Permissions permissions)
    {
        public Permissions Permissions { get; } = permissions;

        public TimeSpan LastOutbound { get; set; }
    }
}
