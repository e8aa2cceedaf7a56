using Gimlet.Quic.Connections;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>The table of an endpoint with one connection. Complains of what an endpoint would silently suffer.</summary>
internal sealed class SimulatedRoutes(Random random) : IConnectionRoutes
{
    /// <summary>Ids have 8 bytes, as those of the real endpoint.</summary>
    public const int IdLength = 8;

    private readonly Dictionary<ConnectionId, StatelessResetToken> _issued = [];
    private readonly HashSet<ConnectionId> _active = [];
    private readonly HashSet<StatelessResetToken> _resets = [];
    private ConnectionId? _initial;

    /// <summary>Ids that the connection issued and that lead here now.</summary>
    public int ActiveCount => _active.Count - (_initial is null ? 0 : 1);

    /// <summary>Ids that were issued at all.</summary>
    public int IssuedCount => _issued.Count;

    /// <summary>Tokens of the peer's that are watched for.</summary>
    public int ResetTokenCount => _resets.Count;

    /// <inheritdoc/>
    public ConnectionId Issue(out StatelessResetToken token)
    {
        var id = ConnectionId.Create(random.NextBytes, IdLength);
        Span<byte> bytes = stackalloc byte[StatelessResetToken.Length];
        random.NextBytes(bytes);
        token = new StatelessResetToken(bytes);
        _issued.Add(id, token);
        _active.Add(id);
        return id;
    }

    /// <inheritdoc/>
    public void Retire(in ConnectionId id)
    {
        if (!_active.Remove(id))
        {
            throw new SimulationException($"{id} is retired, but leads nowhere");
        }
    }

    /// <inheritdoc/>
    public void AddResetToken(in StatelessResetToken token) => _resets.Add(token);

    /// <inheritdoc/>
    public void RemoveResetToken(in StatelessResetToken token) => _resets.Remove(token);

    /// <summary>The client's first Destination Connection ID leads here, too.</summary>
    public void AddInitial(in ConnectionId id)
    {
        _initial = id;
        _active.Add(id);
    }

    /// <summary>It does not any more.</summary>
    public void RemoveInitial()
    {
        _active.Remove(_initial!.Value);
        _initial = null;
    }

    public bool Leads(in ConnectionId id) => _active.Contains(id);

    /// <summary>Whether a datagram ends with one of the peer's tokens.</summary>
    public bool IsReset(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= StatelessResetToken.Length && _resets.Contains(new StatelessResetToken(datagram[^StatelessResetToken.Length..]));

    /// <summary>What an endpoint that has forgotten the connection answers to a packet for one of its ids (RFC 9000 section 10.3).</summary>
    public bool TryMakeReset(in ConnectionId id, int trigger, out byte[] reset)
    {
        reset = [];

        // RFC 9000 section 10.3: at least 21 bytes, and smaller than the packet that it answers.
        if (!_issued.TryGetValue(id, out StatelessResetToken token) || trigger <= 21)
        {
            return false;
        }

        reset = new byte[Math.Min(trigger - 1, 43)];
        random.NextBytes(reset);
        reset[0] = (byte)((reset[0] & 0x3f) | HeaderBits.Fixed);
        token.CopyTo(reset.AsSpan(reset.Length - StatelessResetToken.Length));
        return true;
    }
}
