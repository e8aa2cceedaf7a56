namespace Gimlet.Sockets;

/// <summary>What a <see cref="DatagramSocket"/> has seen since it was bound. Values only grow; reading is safe from any thread.</summary>
public sealed class DatagramCounters
{
    private long _received;
    private long _receivedBytes;
    private long _truncated;
    private long _receiveErrors;
    private long _sent;
    private long _sentBytes;
    private long _wouldBlock;
    private long _unreachable;
    private long _refused;
    private long _tooLarge;
    private long _denied;
    private long _failed;

    internal DatagramCounters()
    {
    }

    /// <summary>Datagrams handed to the caller.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Payload bytes handed to the caller.</summary>
    public long ReceivedBytes => Interlocked.Read(ref _receivedBytes);

    /// <summary>Datagrams dropped because they were longer than a slot of the batch.</summary>
    public long Truncated => Interlocked.Read(ref _truncated);

    /// <summary>Errors that receiving returned instead of a datagram (ICMP and the like), each of them skipped.</summary>
    public long ReceiveErrors => Interlocked.Read(ref _receiveErrors);

    /// <summary>Datagrams the system took for sending.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Payload bytes the system took for sending.</summary>
    public long SentBytes => Interlocked.Read(ref _sentBytes);

    /// <summary>Sends that ended with <see cref="DatagramSendResult.WouldBlock"/>.</summary>
    public long WouldBlock => Interlocked.Read(ref _wouldBlock);

    /// <summary>Sends that ended with <see cref="DatagramSendResult.Unreachable"/>.</summary>
    public long Unreachable => Interlocked.Read(ref _unreachable);

    /// <summary>Sends that ended with <see cref="DatagramSendResult.Refused"/>.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Sends that ended with <see cref="DatagramSendResult.TooLarge"/>.</summary>
    public long TooLarge => Interlocked.Read(ref _tooLarge);

    /// <summary>Sends that ended with <see cref="DatagramSendResult.Denied"/>.</summary>
    public long Denied => Interlocked.Read(ref _denied);

    /// <summary>Sends that ended with <see cref="DatagramSendResult.Failed"/>.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    internal void CountReceived(int datagrams, long bytes)
    {
        Interlocked.Add(ref _received, datagrams);
        Interlocked.Add(ref _receivedBytes, bytes);
    }

    internal void CountTruncated() => Interlocked.Increment(ref _truncated);

    internal void CountReceiveError() => Interlocked.Increment(ref _receiveErrors);

    internal void CountSent(int datagrams, long bytes)
    {
        Interlocked.Add(ref _sent, datagrams);
        Interlocked.Add(ref _sentBytes, bytes);
    }

    internal void CountNotSent(DatagramSendResult result)
    {
        switch (result)
        {
            case DatagramSendResult.WouldBlock:
                Interlocked.Increment(ref _wouldBlock);
                break;
            case DatagramSendResult.Unreachable:
                Interlocked.Increment(ref _unreachable);
                break;
            case DatagramSendResult.Refused:
                Interlocked.Increment(ref _refused);
                break;
            case DatagramSendResult.TooLarge:
                Interlocked.Increment(ref _tooLarge);
                break;
            case DatagramSendResult.Denied:
                Interlocked.Increment(ref _denied);
                break;
            default:
                Interlocked.Increment(ref _failed);
                break;
        }
    }
}
