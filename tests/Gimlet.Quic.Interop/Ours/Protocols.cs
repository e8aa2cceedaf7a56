using System.Net.Security;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>What all of our side's endpoints have in common.</summary>
internal static class Protocols
{
    /// <summary>The protocol of tests/peers/README.md.</summary>
    public static readonly SslApplicationProtocol Interop = new("gimlet-interop");

    /// <summary>Nobody listens on after a test.</summary>
    public static QuicEndpointOptions Endpoint { get; } = new() { ShutdownLinger = TimeSpan.Zero };
}
