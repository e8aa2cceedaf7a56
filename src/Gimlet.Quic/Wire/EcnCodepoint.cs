namespace Gimlet.Quic.Wire;

/// <summary>The two ECN bits of an IP header (RFC 3168 section 5).</summary>
internal enum EcnCodepoint : byte
{
    /// <summary>The sender does not take part, or the system does not tell.</summary>
    NotEct = 0b00,

    /// <summary>ECT(1).</summary>
    Ect1 = 0b01,

    /// <summary>ECT(0): what we mark with (RFC 9000 section 13.4.2).</summary>
    Ect0 = 0b10,

    /// <summary>CE: a router on the way is congested.</summary>
    CongestionExperienced = 0b11,
}
