using System.Net.WebSockets;

namespace Gimlet.Server.Hosting.WebSockets;

/// <summary>What a WebSocket throws when its connection ends in any other way than by a close handshake.</summary>
internal static class WebSocketFault
{
    public static bool IsGone(Exception e) =>
        e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException;
}
