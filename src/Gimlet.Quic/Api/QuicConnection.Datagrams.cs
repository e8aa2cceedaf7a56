using System.Buffers;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Hosting;

namespace Gimlet.Quic;

/// <content>Unreliable datagrams (RFC 9221).</content>
public sealed partial class QuicConnection
{
    // A DATAGRAM frame is in one packet, and that in one UDP datagram.
    private const int LargestDatagram = ushort.MaxValue;

    private readonly PendingOperation<int> _datagram;
    private Memory<byte> _datagramBuffer;

    // What the application has taken out of the core at once and not looked at yet: a lock per datagram that the receive loop holds most of the
    // time would let a fast sender overflow the queue. Guarded by a lock of its own, which nobody else wants.
    private readonly Lock _taking = new();
    private DatagramQueue? _taken;

    /// <summary>
    /// The most bytes that <see cref="SendDatagram"/> takes now, which changes with the path; 0 where the peer takes no datagrams.
    /// </summary>
    public int MaxDatagramSize
    {
        get
        {
            lock (_host.Gate)
            {
                return _closeReason is null ? _host.Core.MaxDatagramLength : 0;
            }
        }
    }

    /// <summary>
    /// Sends a datagram, without waiting: it may be lost, come twice never, and overtake others. One that follows another within microseconds goes out
    /// together with those behind it: dozens of them then cost the system one call.
    /// </summary>
    /// <param name="data">The bytes; copied.</param>
    /// <exception cref="QuicException">The connection has ended.</exception>
    public QuicDatagramSendResult SendDatagram(ReadOnlySpan<byte> data)
    {
        lock (_host.Gate)
        {
            ThrowIfClosed();
            int max = _host.Core.MaxDatagramLength;
            if (data.Length > max || max == 0)
            {
                return max == 0 ? QuicDatagramSendResult.NotSupported : QuicDatagramSendResult.TooLarge;
            }

            bool taken = _host.Core.TrySendDatagram(data);
            _host.DrainDatagrams(isFull: !taken);
            return taken ? QuicDatagramSendResult.Queued : QuicDatagramSendResult.QueueFull;
        }
    }

    /// <summary>Takes the oldest datagram that came; one call at a time. Allocates nothing.</summary>
    /// <param name="buffer">Gets the bytes; what does not fit is lost.</param>
    /// <param name="cancellationToken">Ends the wait; no datagram is lost by it.</param>
    /// <returns>The length of the datagram, which may be more than the buffer's.</returns>
    /// <exception cref="QuicException">The connection has ended.</exception>
    /// <exception cref="InvalidOperationException">Another call waits.</exception>
    public ValueTask<int> ReceiveDatagramAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        lock (_taking)
        {
            if (_datagram.IsBusy)
            {
                throw new InvalidOperationException("Another call of ReceiveDatagramAsync waits; one at a time.");
            }

            return _closeReason is null && _taken is not null && _taken.TryDequeue(buffer.Span, out int length)
                ? ValueTask.FromResult(length)
                : TakeOrWaitAsync(buffer, cancellationToken);
        }
    }

    /// <summary>Takes the oldest datagram that came; one call at a time.</summary>
    /// <param name="cancellationToken">Ends the wait; no datagram is lost by it.</param>
    /// <exception cref="QuicException">The connection has ended.</exception>
    /// <exception cref="InvalidOperationException">Another call waits.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveDatagramAsync(CancellationToken cancellationToken = default)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(LargestDatagram);
        try
        {
            int length = await ReceiveDatagramAsync(buffer, cancellationToken).ConfigureAwait(false);
            return buffer.AsSpan(0, length).ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal void OnDatagramReceived()
    {
        if (_datagram.IsWaiting && _host.Core.TryReceiveDatagram(_datagramBuffer.Span, out int length))
        {
            _datagramBuffer = default;
            _datagram.Complete(length);
        }
    }

    private ValueTask<int> TakeOrWaitAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        lock (_host.Gate)
        {
            if (_closeReason is { } reason)
            {
                return ValueTask.FromException<int>(reason.ToException());
            }

            if (_host.Core.ReceivedDatagrams > 1)
            {
                _taken = _host.Core.ExchangeDatagrams(_taken ?? new DatagramQueue(_options.DatagramQueueBytes));
                _ = _taken.TryDequeue(buffer.Span, out int first);
                return ValueTask.FromResult(first);
            }

            if (_host.Core.TryReceiveDatagram(buffer.Span, out int length))
            {
                return ValueTask.FromResult(length);
            }

            _datagramBuffer = buffer;
            _datagram.Begin(cancellationToken);
            return _datagram.AsTask();
        }
    }

    private void EndDatagrams(CloseReason reason)
    {
        if (_datagram.IsWaiting)
        {
            _datagramBuffer = default;
            _datagram.Fail(reason.ToException());
        }
    }
}
