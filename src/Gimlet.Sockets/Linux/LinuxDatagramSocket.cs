using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gimlet.Sockets.Linux;

/// <summary>
/// <see cref="DatagramSocket"/> over recvmmsg and sendmmsg. The framework's socket makes, binds and closes the
/// descriptor and waits for it (its epoll thread); datagrams themselves go through the C library.
/// </summary>
internal sealed class LinuxDatagramSocket : DatagramSocket
{
    // Each pending error of a socket is returned once and then cleared, so a few tries pass every burst of ICMP errors;
    // the bound only keeps an error that never clears from holding the thread.
    private const int MaxErrorsPerReceive = 64;

    private readonly SafeHandle _handle;
    private readonly bool _ipv6;
    private readonly bool _batchReceive;
    private readonly bool _batchSend;
    private readonly bool _errorReports;
    private readonly Lock _waking = new();
    private readonly byte[] _peeked = GC.AllocateArray<byte>(1, pinned: true);
    private WakeEvent? _wake;
    private volatile bool _errorSeen;

    public unsafe LinuxDatagramSocket(Socket socket, DatagramSocketOptions options)
        : base(socket, options)
    {
        _handle = socket.SafeHandle;
        _ipv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        DatagramSocketCapabilities capabilities = DatagramSocketCapabilities.None;
        if (TryEnable(socket, Constants.IpPacketInfo, Constants.Ipv6ReceivePacketInfo))
        {
            capabilities |= DatagramSocketCapabilities.PacketInfo;
        }

        if (options.ReportErrors && TryEnable(socket, Constants.IpReceiveErrors, Constants.Ipv6ReceiveErrors))
        {
            capabilities |= DatagramSocketCapabilities.ErrorReports;
            _errorReports = true;
        }

        if (options.Implementation != DatagramSocketImplementation.LinuxWithoutBatches)
        {
            // Zero messages: asks only whether the call exists here (an old kernel or a sandbox may lack it).
            if (Libc.ReceiveMessages(_handle, null, 0, Constants.MsgDontWait, null) == 0)
            {
                capabilities |= DatagramSocketCapabilities.BatchReceive;
                _batchReceive = true;
            }

            if (Libc.SendMessages(_handle, null, 0, Constants.MsgDontWait) == 0)
            {
                capabilities |= DatagramSocketCapabilities.BatchSend;
                _batchSend = true;
            }
        }

        Capabilities = capabilities;
    }

    /// <summary>Whether the structures of this folder are this system's.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64;

    /// <inheritdoc/>
    public override ValueTask WaitToReceiveAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);

        // MSG_PEEK of one byte leaves the datagram where it is, however long, and completes for an empty one too. Measured
        // on a 2-core machine: about 15 us from a datagram to its consumer through the framework's epoll thread and the
        // thread pool, 1 byte allocated per wait (the pools' misses), 1 ms of processor time per second when idle.
        ValueTask<int> peek = Socket.ReceiveAsync(_peeked.AsMemory(), SocketFlags.Peek, cancellationToken);
        if (!peek.IsCompletedSuccessfully)
        {
            return WaitAsync(peek);
        }

        _ = peek.Result; // gives the framework its operation back for the next wait
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override unsafe int Receive(DatagramReceiveBatch batch)
    {
        ReceiveHeaders headers = ReceiveHeaders.Of(batch);
        batch.Clear();
        for (int errors = 0; errors < MaxErrorsPerReceive;)
        {
            int count = _batchReceive
                ? Libc.ReceiveMessages(_handle, headers.First, (uint)batch.Capacity, Constants.MsgDontWait, null)
                : ReceiveOneByOne(headers.First, batch.Capacity);
            if (count > 0)
            {
                headers.Publish(count, LocalAddress, Counters);
                if (batch.Count > 0)
                {
                    return batch.Count;
                }

                continue; // every one of them was cut; there may be more
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno == Errno.TryAgain)
            {
                return 0;
            }

            if (errno != Errno.Interrupted)
            {
                CountError();
                errors++;
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public override int ReceiveBlocking(DatagramReceiveBatch batch)
    {
        try
        {
            // First without asking poll: a busy server never pays for it.
            while (Receive(batch) == 0)
            {
                PollUntilReadableOrDisposed();
            }

            return batch.Count;
        }
        catch (ObjectDisposedException)
        {
            batch.Clear();
            return 0;
        }
    }

    /// <inheritdoc/>
    public override unsafe DatagramSendResult Send(
        ReadOnlySpan<byte> payload,
        in TransportAddress remote,
        in TransportAddress from = default,
        DatagramSendOptions options = default)
    {
        if (!CanSend(remote, from))
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return NotSent(DatagramSendResult.Unreachable);
        }

        byte* name = stackalloc byte[SocketName.MaxLength];
        byte* control = stackalloc byte[ControlMessages.MaxLength];
        fixed (byte* bytes = payload)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)payload.Length };
            MessageHeader message = new()
            {
                Name = name,
                NameLength = SocketName.Write(new Span<byte>(name, SocketName.MaxLength), remote),
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = (nuint)ControlMessages.Write(new Span<byte>(control, ControlMessages.MaxLength), _ipv6, from, options),
            };
            bool retried = false;
            while (Libc.SendMessage(_handle, &message, Constants.MsgDontWait | Constants.MsgNoSignal) < 0)
            {
                int errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.Interrupted && !MayBeOfAnEarlierDatagram(errno, ref retried))
                {
                    return NotSent(Errno.ToSendResult(errno, !from.IsEmpty));
                }
            }
        }

        Counters.CountSent(1, payload.Length);
        return DatagramSendResult.Sent;
    }

    /// <inheritdoc/>
    public override int Send(DatagramSendBatch batch)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        SendHeaders headers = SendHeaders.Of(batch);
        for (int i = 0; i < batch.Count; i++)
        {
            headers.Prepare(i, _ipv6);
        }

        int sent = 0;
        long bytes = 0;
        bool full = false;
        bool retried = false;
        for (int next = 0; next < batch.Count;)
        {
            ref DatagramSendBatch.Entry entry = ref batch.EntryAt(next);
            if (full || !CanSend(entry.Remote, entry.From))
            {
                entry.Result = NotSent(full ? DatagramSendResult.WouldBlock : DatagramSendResult.Unreachable);
                next++;
                continue;
            }

            int count = SendRun(headers, batch, next);
            if (count > 0)
            {
                for (int i = 0; i < count; i++, next++)
                {
                    ref DatagramSendBatch.Entry done = ref batch.EntryAt(next);
                    done.Result = DatagramSendResult.Sent;
                    bytes += done.Length;
                }

                sent += count;
                retried = false;
                continue;
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.Interrupted && !MayBeOfAnEarlierDatagram(errno, ref retried))
            {
                entry.Result = NotSent(Errno.ToSendResult(errno, !entry.From.IsEmpty));
                full = entry.Result == DatagramSendResult.WouldBlock;
                next++;
                retried = false;
            }
        }

        Counters.CountSent(sent, bytes);
        return sent;
    }

    /// <inheritdoc/>
    public override bool TryReadError(out DatagramError error)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        error = default;
        if (!_errorSeen)
        {
            return false;
        }

        // Cleared first: an error that comes while the queue is read sets it again.
        _errorSeen = false;
        if (!ErrorQueue.TryRead(_handle, out error))
        {
            return false;
        }

        _errorSeen = true; // there may be more
        return true;
    }

    private protected override void Close()
    {
        // First the thread in poll, which holds the descriptor; then the descriptor, whose close waits for holders.
        lock (_waking)
        {
            _wake?.Set();
        }

        Socket.Dispose();
        _wake?.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitAsync(ValueTask<int> peek)
    {
        try
        {
            _ = await peek.ConfigureAwait(false);
        }
        catch (SocketException e) when (IsDisposed)
        {
            throw new ObjectDisposedException(nameof(DatagramSocket), e);
        }
        catch (SocketException)
        {
            // An ICMP error, taken and cleared by the peek. A datagram may be waiting behind it: Receive will tell.
            CountError();
        }
    }

    private void CountError()
    {
        Counters.CountReceiveError();
        _errorSeen = _errorReports;
    }

    // With error reports on, a pending report fails the next send, whomever it was for, and is cleared by that: the
    // datagram deserves a second try, and only then is an error its own.
    private bool MayBeOfAnEarlierDatagram(int errno, ref bool retried)
    {
        if (!_errorReports || retried || errno == Errno.TryAgain)
        {
            return false;
        }

        _errorSeen = true;
        retried = true;
        return true;
    }

    private unsafe void PollUntilReadableOrDisposed()
    {
        WakeEvent wake = GetWakeEvent();
        bool socketHeld = false;
        bool wakeHeld = false;
        try
        {
            _handle.DangerousAddRef(ref socketHeld);
            wake.Handle.DangerousAddRef(ref wakeHeld);
            PollDescriptor* descriptors = stackalloc PollDescriptor[2];
            descriptors[0] = new PollDescriptor { Descriptor = (int)_handle.DangerousGetHandle(), Events = Constants.PollIn };
            descriptors[1] = new PollDescriptor { Descriptor = (int)wake.Handle.DangerousGetHandle(), Events = Constants.PollIn };

            // The outcome does not matter: the caller's Receive finds the datagram, takes the error, or is disposed.
            // Only the error queue must be emptied, because poll reports it as long as there is something in it.
            _ = Libc.Poll(descriptors, 2, -1);
            if (_errorReports && (descriptors[0].ReturnedEvents & Constants.PollError) != 0)
            {
                while (ErrorQueue.TryRead(_handle, out _))
                {
                }
            }
        }
        finally
        {
            if (wakeHeld)
            {
                wake.Handle.DangerousRelease();
            }

            if (socketHeld)
            {
                _handle.DangerousRelease();
            }
        }
    }

    // Made when first needed: a node with hundreds of sockets waits for none of them with a thread.
    private WakeEvent GetWakeEvent()
    {
        lock (_waking)
        {
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            return _wake ??= new WakeEvent();
        }
    }

    private bool TryEnable(Socket socket, int option, int option6)
    {
        try
        {
            socket.SetRawSocketOption(
                _ipv6 ? Constants.SolIpv6 : Constants.SolIp,
                _ipv6 ? option6 : option,
                BitConverter.GetBytes(1));
            return true;
        }
        catch (SocketException)
        {
            return false; // reported as a missing capability
        }
    }

    // The kernel ignores packet info of the other family and would send from an address of its own choice.
    private bool CanSend(in TransportAddress remote, in TransportAddress from) =>
        !remote.IsEmpty && remote.IsIPv6 == _ipv6 && (from.IsEmpty || from.IsIPv6 == _ipv6);

    private unsafe int ReceiveOneByOne(BatchHeader* headers, int capacity)
    {
        int count = 0;
        while (count < capacity)
        {
            nint length = Libc.ReceiveMessage(_handle, &headers[count].Header, Constants.MsgDontWait);
            if (length < 0)
            {
                return count == 0 ? -1 : count; // an error after the first waits for the next call, as with recvmmsg
            }

            headers[count++].Length = (uint)length;
        }

        return count;
    }

    // Sends from `first` on; the kernel stops before the first datagram that fails, and says why only when asked again.
    private unsafe int SendRun(SendHeaders headers, DatagramSendBatch batch, int first)
    {
        const int flags = Constants.MsgDontWait | Constants.MsgNoSignal;
        if (!_batchSend)
        {
            return Libc.SendMessage(_handle, &headers.At(first)->Header, flags) < 0 ? -1 : 1;
        }

        int end = first + 1;
        while (end < batch.Count && CanSend(batch.EntryAt(end).Remote, batch.EntryAt(end).From))
        {
            end++;
        }

        int count = Libc.SendMessages(_handle, headers.At(first), (uint)(end - first), flags);
        if (_errorReports && count > 0 && count < end - first)
        {
            _errorSeen = true; // a report may have been what stopped it; its error number is lost
        }

        return count;
    }
}
