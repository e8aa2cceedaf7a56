using System.Net.WebSockets;
using System.Numerics;
using Gimlet.Server.Relay;
using Gimlet.Server.Rendezvous;

namespace Gimlet.Server.Hosting.WebSockets;

/// <summary>
/// Reads one node's frames into the core. An idle connection holds no buffer; a binary frame's buffer goes on to its receiver as it is.
/// </summary>
internal sealed class FrameReader(WebSocket socket, RendezvousSession session, GimletHost host)
{
    /// <summary>
    /// Frames that are read without leaving the thread, where they come that fast; 64, the frames of some milliseconds: on a machine with one core
    /// nobody else would be served meanwhile.
    /// </summary>
    private const int FramesPerTurn = 64;

    private int _usual = RelayBuffers.Smallest;
    private int _inTurn;

    /// <summary>Until the other side's close frame.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            // Waits without a buffer, and learns the kind of the frame.
            ValueTask<ValueWebSocketReceiveResult> first = socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            _inTurn = first.IsCompleted ? _inTurn + 1 : 0;
            ValueWebSocketReceiveResult result = await first.ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            bool isOpen = result.MessageType == WebSocketMessageType.Binary
                ? await ReadBinaryAsync(result.EndOfMessage).ConfigureAwait(false)
                : await ReadTextAsync(result.EndOfMessage).ConfigureAwait(false);
            if (!isOpen)
            {
                return;
            }

            if (_inTurn >= FramesPerTurn)
            {
                _inTurn = 0;
                await Task.Yield();
            }
        }
    }

    // False when the other side closed in the middle.
    private async ValueTask<bool> ReadTextAsync(bool isWhole)
    {
        int limit = host.MessageBytes;
        byte[] buffer = RelayBuffers.Rent(limit);
        try
        {
            int length = 0;
            while (!isWhole)
            {
                ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(length, limit - length), CancellationToken.None).ConfigureAwait(false);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return false;
                }

                length += result.Count;
                isWhole = result.EndOfMessage;
                if (length == limit && !isWhole)
                {
                    host.Core.HandleTooLarge(session, host.Now);
                    return await SkipAsync(buffer).ConfigureAwait(false);
                }
            }

            host.Core.Handle(session, buffer.AsSpan(0, length), host.Now);
            return true;
        }
        finally
        {
            RelayBuffers.Return(buffer);
        }
    }

    private async ValueTask<bool> ReadBinaryAsync(bool isWhole)
    {
        int limit = host.BinaryBytes;
        byte[] buffer = RelayBuffers.Rent(_usual);
        bool isOwned = true;
        try
        {
            int length = 0;
            while (!isWhole)
            {
                if (length == buffer.Length)
                {
                    buffer = RelayBuffers.Grow(buffer);
                }

                int room = Math.Min(limit, buffer.Length) - length;
                ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(length, room), CancellationToken.None).ConfigureAwait(false);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return false;
                }

                length += result.Count;
                isWhole = result.EndOfMessage;
                if (length == limit && !isWhole)
                {
                    host.Core.HandleTooLarge(session, host.Now);
                    return await SkipAsync(buffer).ConfigureAwait(false);
                }
            }

            // The next frame is probably as long as this one, or the ones before.
            _usual = Math.Max((int)BitOperations.RoundUpToPowerOf2((uint)length), _usual / 2);
            buffer = RelayBuffers.Fit(buffer, length);
            isOwned = !host.Core.HandleBinary(session, buffer, length, host.Now);
            return true;
        }
        finally
        {
            if (isOwned)
            {
                RelayBuffers.Return(buffer);
            }
        }
    }

    // What is beyond the limit is read over itself until the close frame that answers it, or its end.
    private async ValueTask<bool> SkipAsync(byte[] buffer)
    {
        while (true)
        {
            ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close || result.EndOfMessage)
            {
                return result.MessageType != WebSocketMessageType.Close;
            }
        }
    }
}
