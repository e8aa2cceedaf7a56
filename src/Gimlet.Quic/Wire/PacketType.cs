namespace Gimlet.Quic.Wire;

/// <summary>The packets of version 1. The first four have the value of the Long Packet Type field (RFC 9000 section 17.2, table 5).</summary>
internal enum PacketType
{
    Initial = 0,
    ZeroRtt = 1,
    Handshake = 2,
    Retry = 3,
    OneRtt = 4,
    VersionNegotiation = 5,
}
