namespace Gimlet.Sockets;

/// <summary>The two bits of explicit congestion notification in the header of IP; the values are those of RFC 3168 section 5.</summary>
public enum EcnMark : byte
{
    /// <summary>Not ECN-capable: a congested router drops the datagram.</summary>
    NotEct = 0,

    /// <summary>ECN-capable, ECT(1): for low-latency congestion control (RFC 9331).</summary>
    Ect1 = 1,

    /// <summary>ECN-capable, ECT(0): what QUIC sends.</summary>
    Ect0 = 2,

    /// <summary>A router on the way was congested and marked the datagram instead of dropping it.</summary>
    Ce = 3,
}
