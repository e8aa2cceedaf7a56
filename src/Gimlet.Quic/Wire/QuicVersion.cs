namespace Gimlet.Quic.Wire;

/// <summary>Versions of QUIC (RFC 9000 section 15). Any other value is a version this code does not speak.</summary>
internal enum QuicVersion : uint
{
    /// <summary>Marks a Version Negotiation packet (RFC 8999 section 6).</summary>
    Negotiation = 0,

    /// <summary>RFC 9000.</summary>
    Version1 = 1,
}

/// <summary>What can be told of a version by its number.</summary>
internal static class QuicVersions
{
    private const uint ReservedBits = 0x0a0a_0a0a;
    private const uint ReservedMask = 0x0f0f_0f0f;

    /// <summary>Whether this code speaks the version.</summary>
    public static bool IsSupported(this QuicVersion version) => version == QuicVersion.Version1;

    /// <summary>RFC 9000 section 15: "Versions that follow the pattern 0x?a?a?a?a are reserved for use in forcing version negotiation."</summary>
    public static bool IsReserved(this QuicVersion version) => ((uint)version & ReservedMask) == ReservedBits;

    /// <summary>Makes a reserved version, for a list that exercises the peer's tolerance (RFC 9000 section 6.3).</summary>
    /// <param name="bits">Any number; 16 of its bits show.</param>
    public static QuicVersion Reserved(uint bits) => (QuicVersion)((bits & ~ReservedMask) | ReservedBits);
}
