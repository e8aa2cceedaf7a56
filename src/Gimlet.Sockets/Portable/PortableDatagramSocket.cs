using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Gimlet.Sockets.Portable;

/// <summary>
/// <see cref="DatagramSocket"/> over the framework's socket alone, for Windows, macOS and everything else. The framework
/// cannot choose the address a datagram leaves from, so packet info is not offered, nor are offloads and congestion marks.
/// </summary>
internal sealed class PortableDatagramSocket : DatagramSocket
{
    // Windows: an ICMP port-unreachable (or TTL exceeded) would make the next receive fail; these controls switch that off.
    private const int SioUdpConnectionReset = unchecked((int)0x9800000C);
    private const int SioUdpNetworkReset = unchecked((int)0x9800000F);

    // As in LinuxDatagramSocket: an error is returned once, a burst of them is passed over, a stuck one ends the call.
    private const int MaxErrorsPerReceive = 64;

    private readonly Lock _sending = new();
    private readonly short _usualTimeToLive;
    private readonly SocketAddress _to;
    private readonly SocketAddress _received;
    private readonly SocketAddress _aheadFrom;

    // A datagram that the wait itself took: asynchronous peeking is not defined on Windows, so waiting means receiving
    // one datagram ahead, into room for the longest there is.
    private readonly byte[] _ahead = GC.AllocateUninitializedArray<byte>(ushort.MaxValue + 1, pinned: true);
    private int _aheadLength = -1;

    public PortableDatagramSocket(Socket socket, DatagramSocketOptions options)
        : base(socket, options)
    {
        _to = new SocketAddress(socket.AddressFamily);
        _received = new SocketAddress(socket.AddressFamily);
        _aheadFrom = new SocketAddress(socket.AddressFamily);
        _usualTimeToLive = socket.Ttl;
        if (options.DontFragment && Fragmentation.TryForbid(socket))
        {
            Capabilities = DatagramSocketCapabilities.DontFragment;
        }

        socket.Blocking = false;
        if (OperatingSystem.IsWindows())
        {
            byte[] off = [0, 0, 0, 0];
            _ = socket.IOControl(SioUdpConnectionReset, off, optionOutValue: null);
            _ = socket.IOControl(SioUdpNetworkReset, off, optionOutValue: null);
        }
    }

    /// <inheritdoc/>
    public override ValueTask WaitToReceiveAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_aheadLength >= 0)
        {
            return ValueTask.CompletedTask;
        }

        ValueTask<int> receive = Socket.ReceiveFromAsync(_ahead, SocketFlags.None, _aheadFrom, cancellationToken);
        if (!receive.IsCompletedSuccessfully)
        {
            return WaitAsync(receive);
        }

        _aheadLength = receive.Result;
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask WaitToSendAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (TakeQueueFull())
        {
            return PauseAsync(cancellationToken);
        }

        return IsWritable() ? ValueTask.CompletedTask : WaitUntilWritableAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override int Receive(DatagramReceiveBatch batch)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        batch.Clear();
        long bytes = 0;
        if (_aheadLength >= 0)
        {
            bytes += TakeAhead(batch);
        }

        int errors = 0;
        while (batch.Count < batch.Capacity && errors < MaxErrorsPerReceive)
        {
            try
            {
                // Asking first costs a system call and saves an exception.
                if (!Socket.Poll(0, SelectMode.SelectRead))
                {
                    break;
                }

                int slot = batch.Count;
                int length = Socket.ReceiveFrom(batch.SlotWithSpareByte(slot).Span, SocketFlags.None, _received);
                if (length > batch.DatagramBytes)
                {
                    Counters.CountTruncated();
                    continue;
                }

                batch.Add(slot, length, PortableAddress.Read(_received), LocalAddress);
                bytes += length;
            }
            catch (SocketException e)
            {
                ObjectDisposedException.ThrowIf(IsDisposed, this);
                if (e.SocketErrorCode == SocketError.WouldBlock)
                {
                    break;
                }

                errors++;
                if (e.SocketErrorCode == SocketError.MessageSize)
                {
                    Counters.CountTruncated(); // Windows says so instead of filling the spare byte
                }
                else
                {
                    Counters.CountReceiveError();
                }
            }
        }

        Counters.CountReceived(batch.Count, bytes);
        return batch.Count;
    }

    /// <inheritdoc/>
    public override int ReceiveBlocking(DatagramReceiveBatch batch)
    {
        try
        {
            while (true)
            {
                int count = Receive(batch);
                if (count > 0)
                {
                    return count;
                }

                // This thread is the caller's to block; the framework offers no blocking wait that a dispose ends everywhere.
                WaitToReceiveAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }
        }
        catch (ObjectDisposedException)
        {
            batch.Clear();
            return 0;
        }
    }

    /// <inheritdoc/>
    public override DatagramSendResult Send(
        ReadOnlySpan<byte> payload,
        in TransportAddress remote,
        in TransportAddress from = default,
        DatagramSendOptions options = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (remote.IsEmpty || remote.AddressFamily != Socket.AddressFamily)
        {
            return NotSent(DatagramSendResult.Unreachable);
        }

        lock (_sending)
        {
            try
            {
                PortableAddress.Write(_to, remote);
                if (options.TimeToLive == 0)
                {
                    _ = Socket.SendTo(payload, SocketFlags.None, _to);
                }
                else
                {
                    Socket.Ttl = options.TimeToLive;
                    try
                    {
                        _ = Socket.SendTo(payload, SocketFlags.None, _to);
                    }
                    finally
                    {
                        Socket.Ttl = _usualTimeToLive;
                    }
                }
            }
            catch (SocketException e)
            {
                ObjectDisposedException.ThrowIf(IsDisposed, this);
                if (e.SocketErrorCode == SocketError.NoBufferSpaceAvailable)
                {
                    SetQueueFull(); // macOS says so of a full interface, and never that the buffer is
                }

                return NotSent(ToSendResult(e.SocketErrorCode));
            }
        }

        Counters.CountSent(1, payload.Length);
        return DatagramSendResult.Sent;
    }

    /// <inheritdoc/>
    public override DatagramSendResult SendSegments(
        ReadOnlySpan<byte> payload,
        int segmentSize,
        in TransportAddress remote,
        out int segmentsSent,
        in TransportAddress from = default,
        DatagramSendOptions options = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segmentSize);
        int count = DatagramSegments.Count(payload.Length, segmentSize);
        for (segmentsSent = 0; segmentsSent < count; segmentsSent++)
        {
            int start = segmentsSent * segmentSize;
            int length = segmentsSent == count - 1 ? payload.Length - start : segmentSize;
            DatagramSendResult result = Send(payload.Slice(start, length), remote, from, options);
            if (result != DatagramSendResult.Sent)
            {
                return result;
            }
        }

        return DatagramSendResult.Sent;
    }

    /// <inheritdoc/>
    public override int Send(DatagramSendBatch batch)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        int sent = 0;
        bool full = false;
        for (int i = 0; i < batch.Count; i++)
        {
            ref DatagramSendBatch.Entry entry = ref batch.EntryAt(i);
            if (full)
            {
                entry.Result = NotSent(DatagramSendResult.WouldBlock);
                entry.SegmentsSent = 0;
                continue;
            }

            Span<byte> payload = batch.Buffer.AsSpan(batch.SlotOffset(i), entry.Length);
            entry.Result = SendSegments(payload, entry.SegmentSize, entry.Remote, out entry.SegmentsSent, entry.From, entry.Options);
            full = entry.Result == DatagramSendResult.WouldBlock;
            sent += entry.Result == DatagramSendResult.Sent ? 1 : 0;
        }

        return sent;
    }

    private protected override void Close() => Socket.Dispose();

    private static DatagramSendResult ToSendResult(SocketError error) => error switch
    {
        SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable or SocketError.IOPending => DatagramSendResult.WouldBlock,
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.AddressNotAvailable or SocketError.NetworkDown
            or SocketError.HostDown or SocketError.AddressFamilyNotSupported or SocketError.HostNotFound => DatagramSendResult.Unreachable,
        SocketError.ConnectionRefused or SocketError.ConnectionReset => DatagramSendResult.Refused,
        SocketError.MessageSize => DatagramSendResult.TooLarge,
        SocketError.AccessDenied or SocketError.OperationNotSupported => DatagramSendResult.Denied,
        _ => DatagramSendResult.Failed,
    };

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitAsync(ValueTask<int> receive)
    {
        try
        {
            _aheadLength = await receive.ConfigureAwait(false);
        }
        catch (SocketException e) when (IsDisposed)
        {
            throw new ObjectDisposedException(nameof(DatagramSocket), e);
        }
        catch (SocketException)
        {
            // One error instead of one datagram; the next may be waiting behind it: Receive will tell.
            Counters.CountReceiveError();
        }
    }

    private bool IsWritable()
    {
        try
        {
            return Socket.Poll(0, SelectMode.SelectWrite);
        }
        catch (SocketException e)
        {
            return IsDisposed ? throw new ObjectDisposedException(nameof(DatagramSocket), e) : true; // the next send will tell
        }
    }

    // The framework has no wait for room in the send buffer: asks each time a pause is over.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitUntilWritableAsync(CancellationToken cancellationToken)
    {
        do
        {
            await PauseAsync(cancellationToken).ConfigureAwait(false);
        }
        while (!IsWritable());
    }

    private int TakeAhead(DatagramReceiveBatch batch)
    {
        int length = _aheadLength;
        _aheadLength = -1;
        if (length > batch.DatagramBytes)
        {
            Counters.CountTruncated();
            return 0;
        }

        _ahead.AsSpan(0, length).CopyTo(batch.SlotWithSpareByte(0).Span);
        batch.Add(0, length, PortableAddress.Read(_aheadFrom), LocalAddress);
        return length;
    }
}
