using System.Net.WebSockets;
using Gimlet.Server.Relay;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>Reads one worker's frames into the rendezvous. An idle connection holds no buffer.</summary>
internal sealed class WorkerReader(WebSocket socket, WorkerConnection connection, WorkersHost host)
{
    /// <summary>Frames that are read without leaving the thread, where they come that fast: as many as of a node.</summary>
    private const int FramesPerTurn = 64;

    /// <summary>Empty frames within one message; 1024. The bytes of a message have their own limit, and frames without any would go on for ever beneath it.</summary>
    private const int MaxEmptyFrames = 1024;

    /// <summary>Until the other side's close frame.</summary>
    public async Task RunAsync()
    {
        int inTurn = 0;
        while (true)
        {
            // Waits without a buffer, and learns the kind of the frame.
            ValueTask<ValueWebSocketReceiveResult> first = socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
            inTurn = first.IsCompleted ? inTurn + 1 : 0;
            ValueWebSocketReceiveResult result = await first.ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close
                || !await ReadAsync(result.MessageType, result.EndOfMessage).ConfigureAwait(false))
            {
                return;
            }

            if (inTurn >= FramesPerTurn)
            {
                inTurn = 0;
                await Task.Yield();
            }
        }
    }

    // False when the other side closed in the middle.
    private async ValueTask<bool> ReadAsync(WebSocketMessageType type, bool isWhole)
    {
        int limit = host.MessageBytes;
        byte[] buffer = RelayBuffers.Rent(RelayBuffers.Smallest);
        try
        {
            int length = 0;
            int empty = 0;
            while (!isWhole)
            {
                if (length == buffer.Length && length < limit)
                {
                    byte[] larger = RelayBuffers.Rent(Math.Min(4 * length, Math.Max(limit, RelayBuffers.Smallest)));
                    buffer.AsSpan(0, length).CopyTo(larger);
                    RelayBuffers.Return(buffer);
                    buffer = larger;
                }

                // At the limit without room: the end may still come by itself, as an empty frame.
                int room = Math.Min(limit, buffer.Length) - length;
                ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(length, room), CancellationToken.None).ConfigureAwait(false);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return false;
                }

                length += result.Count;
                isWhole = result.EndOfMessage;
                empty += result.Count == 0 ? 1 : 0;
                if (!isWhole && (room == 0 || empty > MaxEmptyFrames))
                {
                    host.Core.HandleTooLarge(connection, room == 0 ? null : $"A message has at most {MaxEmptyFrames} empty frames");
                    return await SkipAsync(buffer).ConfigureAwait(false);
                }
            }

            if (type == WebSocketMessageType.Binary)
            {
                host.Core.HandleBinary(connection, length, host.Now);
            }
            else
            {
                host.Core.Handle(connection, buffer.AsSpan(0, length), host.Now);
            }

            return true;
        }
        finally
        {
            RelayBuffers.Return(buffer);
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
