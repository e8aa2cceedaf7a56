using System.Net.Security;

namespace Gimlet.Bench.Quic;

/// <summary>What is the same for every contestant, as far as each can be told.</summary>
internal static class Settings
{
    public const int StreamCount = 100;

    /// <summary>Fits one packet of every contestant: quic-go 0.29 takes 1,220 at most.</summary>
    public const int DatagramBytes = 1200;

    /// <summary>Handshakes under way at a time: enough that the server's core always has one to work on.</summary>
    public const int ParallelHandshakes = 8;

    /// <summary>Bytes per call of the application, reading and writing.</summary>
    public const int ChunkBytes = 64 * 1024;

    /// <summary>SO_RCVBUF and SO_SNDBUF that every contestant on UDP asks for. TCP keeps the system's own tuning.</summary>
    public const int SocketBufferBytes = 4 * 1024 * 1024;

    /// <summary>UDP payload: what quic-go's search ends at.</summary>
    public const int UdpPayload = 1452;

    public const TlsCipherSuite CipherSuite = TlsCipherSuite.TLS_AES_128_GCM_SHA256;

    public static SslApplicationProtocol Protocol { get; } = new("gimlet-bench");
}
