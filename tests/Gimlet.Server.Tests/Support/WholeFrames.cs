using System.Net.WebSockets;

namespace Gimlet.Server.Tests.Support;

/// <summary>Reading from a WebSocket in tests: whole frames, within a deadline.</summary>
internal static class WholeFrames
{
    /// <summary>Reads one frame, in how many pieces it may come.</summary>
    /// <param name="socket">From where.</param>
    /// <param name="buffer">Where to; the frame is at its beginning.</param>
    /// <param name="deadline">How long it may take.</param>
    /// <param name="what">What is waited for, for the failure.</param>
    public static async Task<(WebSocketMessageType Type, int Length)> ReadFrameAsync(this ClientWebSocket socket, Memory<byte> buffer, TimeSpan deadline, string what)
    {
        using var timeout = new CancellationTokenSource(deadline);
        try
        {
            int length = 0;
            while (true)
            {
                ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer[length..], timeout.Token);
                length += result.Count;
                if (result.EndOfMessage || result.MessageType == WebSocketMessageType.Close)
                {
                    return (result.MessageType, length);
                }

                Assert.True(length < buffer.Length, $"{what} is longer than {buffer.Length} bytes");
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{what} did not come within {deadline}");
            throw;
        }
    }
}
