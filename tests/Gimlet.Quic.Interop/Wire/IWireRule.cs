namespace Gimlet.Quic.Interop.Wire;

/// <summary>Which way a datagram goes.</summary>
internal enum WireDirection
{
    /// <summary>From the client.</summary>
    ToServer,

    /// <summary>From the server.</summary>
    ToClient,
}

/// <summary>Looks at what a <see cref="UdpForwarder"/> carries. Never called concurrently.</summary>
internal interface IWireRule
{
    /// <summary>Called once, first.</summary>
    void Attach(UdpForwarder wire)
    {
    }

    /// <summary>Whether the datagram goes on; it may be changed.</summary>
    bool Passes(WireDirection direction, Span<byte> datagram);
}
