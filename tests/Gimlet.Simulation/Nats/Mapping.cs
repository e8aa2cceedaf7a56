using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>What makes two outgoing packets use the same mapping: the inside endpoint, and as much of the destination as the NAT looks at.</summary>
internal readonly record struct MappingKey(TransportAddress Inside, TransportAddress Remote);

/// <summary>An inside endpoint's public address and port, and whom its filter admits.</summary>
internal sealed class Mapping(MappingKey key, TransportAddress external, Dependence filtering)
{
    public MappingKey Key { get; } = key;

    public TransportAddress External { get; } = external;

    public Permissions Permissions { get; } = new(filtering);

    public TimeSpan LastRefresh { get; set; }

    /// <summary>The next mapping on the same public port, where ports are overloaded.</summary>
    public Mapping? Sharing { get; set; }
}
