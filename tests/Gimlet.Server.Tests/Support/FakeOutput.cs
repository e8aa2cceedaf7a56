using System.Collections.Concurrent;
using Gimlet.Server.Relay;
using Gimlet.Server.Rendezvous;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Support;

/// <summary>Keeps what the core sent; may be told to be full.</summary>
internal sealed class FakeOutput : ISessionOutput
{
    private readonly ConcurrentQueue<SignalMessage> _messages = new();
    private int _closes;
    private volatile RelayQueue? _relay;

    public bool Full { get; set; }

    public int? CloseCode { get; private set; }

    public string? CloseReason { get; private set; }

    public int Closes => _closes;

    public bool TrySend(ReadOnlyMemory<byte> utf8)
    {
        Assert.True(utf8.Length <= SignalProtocol.MaxMessageBytes, "the server keeps to the limit it sets");
        if (Full)
        {
            return false;
        }

        Assert.True(SignalCodec.TryRead(utf8.Span, out SignalMessage? message, out string? problem), problem);
        _messages.Enqueue(message);
        return true;
    }

    public void RelayReady(RelayQueue queue)
    {
        Assert.True(_relay is null || _relay == queue, "a session has one queue");
        _relay = queue;
        ReadyCalls++;
    }

    /// <summary>How often the core said that relayed frames wait.</summary>
    public int ReadyCalls { get; private set; }

    /// <summary>The next relayed frame; null when none waits.</summary>
    public byte[]? TakeRelayed()
    {
        if (_relay is null || !_relay.TryDequeue(out RelayedFrame frame))
        {
            return null;
        }

        byte[] copy = frame.Bytes.ToArray();
        RelayBuffers.Return(frame.Buffer);
        return copy;
    }

    /// <summary>All relayed frames that wait.</summary>
    public List<byte[]> DrainRelayed()
    {
        var all = new List<byte[]>();
        while (TakeRelayed() is { } frame)
        {
            all.Add(frame);
        }

        return all;
    }

    public void Close(int code, string reason)
    {
        _ = Interlocked.Increment(ref _closes);
        CloseCode = code;
        CloseReason = reason;
    }

    /// <summary>The next message, which must be of this type.</summary>
    public T Next<T>()
        where T : SignalMessage
    {
        Assert.True(_messages.TryDequeue(out SignalMessage? message), $"a {typeof(T).Name} is expected and nothing was sent");
        return Assert.IsType<T>(message);
    }

    public void Nothing() => Assert.Empty(_messages);

    public SignalMessage[] Drain()
    {
        SignalMessage[] all = [.. _messages];
        _messages.Clear();
        return all;
    }
}
