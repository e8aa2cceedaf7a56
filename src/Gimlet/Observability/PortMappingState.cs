namespace Gimlet;

/// <summary>Whether the router forwards a port to this node.</summary>
public enum PortMappingState
{
    /// <summary>None was asked for. <c>none</c></summary>
    None = 0,

    /// <summary>The router was asked. <c>requested</c></summary>
    Requested,

    /// <summary>The router forwards a port. <c>mapped</c></summary>
    Mapped,

    /// <summary>It did, and does not any more. <c>lost</c></summary>
    Lost,
}
