using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gimlet.Sockets.Linux;

/// <summary>
/// <see cref="DatagramSocket"/> over recvmmsg and sendmmsg. The framework's socket makes, binds and closes the
/// descriptor and waits for datagrams (its epoll thread); datagrams themselves go through the C library.
/// </summary>
internal sealed partial class LinuxDatagramSocket : DatagramSocket
{
    private readonly SafeHandle _handle;
    private readonly bool _ipv6;
    private readonly bool _batchReceive;
    private readonly bool _batchSend;
    private readonly bool _errorReports;
    private readonly bool _receiveOffload;
    private readonly SendGate _sendGate;
    private readonly Lock _waking = new();
    private readonly byte[] _peeked = GC.AllocateArray<byte>(1, pinned: true);
    private WakeEvent? _wake;
    private volatile bool _errorSeen;
    private volatile bool _segmentation;

    public unsafe LinuxDatagramSocket(Socket socket, DatagramSocketOptions options)
        : base(socket, options)
    {
        _handle = socket.SafeHandle;
        _ipv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        _sendGate = new SendGate(socket);
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

        if (options.ReportEcn && TryEnable(socket, Constants.IpReceiveTypeOfService, Constants.Ipv6ReceiveTrafficClass))
        {
            capabilities |= DatagramSocketCapabilities.Ecn;
        }

        if (options.DontFragment && Fragmentation.TryForbid(socket))
        {
            capabilities |= DatagramSocketCapabilities.DontFragment;
        }

        if (options.Implementation is DatagramSocketImplementation.Best or DatagramSocketImplementation.LinuxRefusingSegmentation)
        {
            // 0 is the default, segments only where a send asks for them: the kernel's answer says whether it knows the option.
            if (SocketOption.TrySet(socket, Constants.SolUdp, Constants.UdpSegment, 0))
            {
                capabilities |= DatagramSocketCapabilities.SegmentationOffload;
                _segmentation = true;
            }

            if (options.ReceiveOffload && SocketOption.TrySet(socket, Constants.SolUdp, Constants.UdpReceiveOffload, 1))
            {
                capabilities |= DatagramSocketCapabilities.ReceiveOffload;
                _receiveOffload = true;
            }
        }

        if (options.Implementation == DatagramSocketImplementation.LinuxRefusingSegmentation)
        {
            _ = SocketOption.TrySet(socket, Constants.SolSocket, Constants.SoNoCheck, 1);
            _ = SocketOption.TrySet(socket, Constants.SolUdp, Constants.UdpNoCheck6Send, 1);
            _ = SocketOption.TrySet(socket, Constants.SolUdp, Constants.UdpNoCheck6Receive, 1);
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
    public override ValueTask WaitToSendAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return TakeQueueFull() ? PauseAsync(cancellationToken) : _sendGate.WaitAsync(cancellationToken);
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
        _sendGate.Close();

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

    private bool TryEnable(Socket socket, int option, int option6) =>
        SocketOption.TrySet(socket, _ipv6 ? Constants.SolIpv6 : Constants.SolIp, _ipv6 ? option6 : option, 1);
}
