namespace Gimlet.Quic.Tls;

/// <summary>Where handshake bytes travel (RFC 9001 section 4); 0-RTT carries none and is not offered.</summary>
internal enum EncryptionLevel
{
    Initial,
    Handshake,
    OneRtt,
}
