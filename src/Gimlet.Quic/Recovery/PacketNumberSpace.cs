namespace Gimlet.Quic.Recovery;

/// <summary>Where packet numbers are counted (RFC 9000 section 12.3).</summary>
internal enum PacketNumberSpace
{
    /// <summary>Initial packets.</summary>
    Initial = 0,

    /// <summary>Handshake packets.</summary>
    Handshake = 1,

    /// <summary>1-RTT packets, on every path.</summary>
    Application = 2,
}
