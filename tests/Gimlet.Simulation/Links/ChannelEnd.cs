using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>
/// One end of a reliable ordered message channel, like a WebSocket. Callbacks come from the world's queue, never from within
/// <see cref="Send"/> or <see cref="Close"/>. After <see cref="OnClosed"/> nothing comes any more; it comes exactly once, whoever ended the channel.
/// </summary>
internal sealed class ChannelEnd
{
    private readonly Channel _channel;

    internal ChannelEnd(Channel channel, bool isClient)
    {
        _channel = channel;
        IsClient = isClient;
    }

    public bool IsClient { get; }

    public bool IsOpen { get; internal set; }

    public bool IsClosed { get; internal set; }

    /// <summary>This end's own address.</summary>
    public TransportAddress Local { get; internal set; }

    /// <summary>The other end's address as it looks from here.</summary>
    public TransportAddress Remote { get; internal set; }

    /// <summary>The client's end: messages can be sent from now on.</summary>
    public Action? OnOpen { get; set; }

    public Action<ReadOnlyMemory<byte>>? OnMessage { get; set; }

    /// <summary>Takes a binary message; the bytes are the receiver's.</summary>
    public Action<byte[]>? OnBinary { get; set; }

    public Action<ChannelClose>? OnClosed { get; set; }

    /// <summary>Sends a message; dropped when the channel is not open, as nobody would get it.</summary>
    public void Send(ReadOnlySpan<byte> message) => _channel.Send(this, message);

    /// <summary>Sends a binary message, as <see cref="Send"/>; not copied.</summary>
    public void SendBinary(byte[] message) => _channel.SendBinary(this, message);

    /// <summary>Ends the channel; the other end is told after what was sent before.</summary>
    public void Close(int code, string reason) => _channel.Close(this, new ChannelClose(code, reason));

    /// <summary>Breaks the channel as a reset of the connection would: both ends are told.</summary>
    public void Break(string reason) => _channel.Break(reason);
}
