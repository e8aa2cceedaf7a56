using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>Whom a filter admits: what the inside has sent to, remembered as precisely as the filter looks (RFC 4787 section 5).</summary>
internal sealed class Permissions(Dependence filtering)
{
    private Dictionary<TransportAddress, TimeSpan>? _sessions;

    /// <summary>The inside sent to this remote address.</summary>
    public void Note(TransportAddress remote, TimeSpan now)
    {
        if (filtering != Dependence.Endpoint)
        {
            (_sessions ??= [])[Key(filtering, remote)] = now;
        }
    }

    /// <summary>Whether a remote address may send in.</summary>
    /// <param name="remote">Who wants in.</param>
    /// <param name="notBefore">Sessions whose last packet is older do not count.</param>
    public bool Admits(TransportAddress remote, TimeSpan notBefore) => filtering == Dependence.Endpoint
        || (_sessions is not null && _sessions.TryGetValue(Key(filtering, remote), out TimeSpan last) && last > notBefore);

    /// <summary>An incoming packet keeps its session alive, where the NAT lets it.</summary>
    public void Refresh(TransportAddress remote, TimeSpan now)
    {
        TransportAddress key = Key(filtering, remote);
        if (_sessions is not null && _sessions.ContainsKey(key))
        {
            _sessions[key] = now;
        }
    }

    /// <summary>The part of a remote address that counts.</summary>
    public static TransportAddress Key(Dependence dependence, TransportAddress remote) => dependence switch
    {
        Dependence.Endpoint => default,
        Dependence.Address => remote.WithPort(0),
        _ => remote,
    };
}
