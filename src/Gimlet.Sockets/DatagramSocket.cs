using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Gimlet.Sockets.Linux;
using Gimlet.Sockets.Portable;

namespace Gimlet.Sockets;

/// <summary>
/// A bound, unconnected UDP socket: the one place where this project meets the system's datagrams.
/// </summary>
/// <remarks>
/// Receiving (<see cref="WaitToReceiveAsync"/>, <see cref="Receive"/>, <see cref="ReceiveBlocking"/>) belongs to one
/// consumer at a time. Sending is safe from any thread, each with its own batch. No method throws for a network
/// reason; after <see cref="Dispose()"/> they throw <see cref="ObjectDisposedException"/>, except
/// <see cref="ReceiveBlocking"/>, which returns 0. No datagram allocates.
/// </remarks>
[SuppressMessage(
    "Design",
    "CA1063:Implement IDisposable correctly",
    Justification = "The pattern serves finalizers and foreign subclasses; here are neither: the framework's socket has its own finalizer.")]
[SuppressMessage("Usage", "CA1816:Dispose methods should call SuppressFinalize", Justification = "There is no finalizer.")]
public abstract class DatagramSocket : IDisposable
{
    // How long WaitToSendAsync waits where the system does not say when there is room: an interface of 100 Mbit/s sends eight
    // full datagrams in the meantime.
    private const int PauseMilliseconds = 1;

    private int _disposed;
    private bool _queueFull;

    private protected DatagramSocket(Socket socket, DatagramSocketOptions options)
    {
        Socket = socket;
        if (options.ReceiveBufferBytes is int receive)
        {
            socket.ReceiveBufferSize = receive;
        }

        if (options.SendBufferBytes is int send)
        {
            socket.SendBufferSize = send;
        }

        // As bound: the real port, and the interface of a link-local address.
        LocalAddress = new TransportAddress((IPEndPoint)socket.LocalEndPoint!);
        ReceiveBufferBytes = socket.ReceiveBufferSize;
        SendBufferBytes = socket.SendBufferSize;
    }

    /// <summary>The address as bound, with the real port; the address is 0.0.0.0 or :: where the wildcard was asked for.</summary>
    public TransportAddress LocalAddress { get; }

    /// <summary>What the system really gave.</summary>
    public DatagramSocketCapabilities Capabilities { get; private protected set; }

    /// <summary>The receive buffer the system gave, in bytes; Linux counts its own overhead in.</summary>
    public int ReceiveBufferBytes { get; }

    /// <summary>The send buffer the system gave, in bytes; Linux counts its own overhead in.</summary>
    public int SendBufferBytes { get; }

    /// <summary>What this socket has seen.</summary>
    public DatagramCounters Counters { get; } = new();

    /// <summary>True after <see cref="Dispose()"/>.</summary>
    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    private protected Socket Socket { get; }

    /// <summary>Makes and binds a socket.</summary>
    /// <param name="options">The address and what else differs from the defaults.</param>
    /// <exception cref="ArgumentException">An option makes no sense; the message names it.</exception>
    /// <exception cref="DatagramBindException">The address cannot be bound; the message names it.</exception>
    public static DatagramSocket Bind(DatagramSocketOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        bool linux = LinuxDatagramSocket.IsSupported && options.Implementation != DatagramSocketImplementation.Portable;
        Socket? socket = null;
        try
        {
            socket = new Socket(options.LocalEndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            if (socket.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false; // IPV6_V6ONLY
            }

            if (options.ReuseAddress)
            {
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, optionValue: true);
            }

            socket.Bind(options.LocalEndPoint);
            DatagramSocket bound = linux ? new LinuxDatagramSocket(socket, options) : new PortableDatagramSocket(socket, options);
            socket = null;
            return bound;
        }
        catch (SocketException e)
        {
            throw new DatagramBindException(options.LocalEndPoint, e.SocketErrorCode);
        }
        finally
        {
            socket?.Dispose();
        }
    }

    /// <summary>Completes when a datagram may be waiting; at once when one is. Costs no processor time while waiting.</summary>
    /// <param name="cancellationToken">Ends the wait; no datagram is lost by it.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The socket was disposed, before or during the wait.</exception>
    public abstract ValueTask WaitToReceiveAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Completes when the send buffer may have room again, to be awaited after <see cref="DatagramSendResult.WouldBlock"/>; at
    /// once when it has. Costs next to no processor time while waiting. Several may wait at once.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The socket was disposed, before or during the wait.</exception>
    public abstract ValueTask WaitToSendAsync(CancellationToken cancellationToken);

    /// <summary>Takes what is waiting, without blocking.</summary>
    /// <param name="batch">
    /// Filled from its first slot. With <see cref="DatagramSocketCapabilities.ReceiveOffload"/> its slots must have
    /// <see cref="DatagramReceiveBatch.OffloadDatagramBytes"/>.
    /// </param>
    /// <returns>How many slots were filled; 0 when no datagram was waiting.</returns>
    /// <exception cref="ArgumentException">The slots are too small for receive offload.</exception>
    /// <exception cref="ObjectDisposedException">The socket was disposed.</exception>
    public abstract int Receive(DatagramReceiveBatch batch);

    /// <summary>Blocks the thread until at least one datagram was read. For a server's dedicated threads.</summary>
    /// <param name="batch">Filled from its first slot.</param>
    /// <returns>How many datagrams were read; 0 only when the socket was disposed.</returns>
    public abstract int ReceiveBlocking(DatagramReceiveBatch batch);

    /// <summary>Sends one datagram, without blocking.</summary>
    /// <param name="payload">The bytes; may be empty.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="from">
    /// The local address to send from (its port is ignored); empty lets the system choose. Ignored without
    /// <see cref="DatagramSocketCapabilities.PacketInfo"/>.
    /// </param>
    /// <param name="options">What differs from the socket's defaults.</param>
    /// <exception cref="ObjectDisposedException">The socket was disposed.</exception>
    public abstract DatagramSendResult Send(
        ReadOnlySpan<byte> payload,
        in TransportAddress remote,
        in TransportAddress from = default,
        DatagramSendOptions options = default);

    /// <summary>
    /// Sends a payload as several datagrams of the same length, without blocking and without copying it; where the system
    /// cuts it (<see cref="DatagramSocketCapabilities.SegmentationOffload"/>) with one system call for up to 64 of them.
    /// </summary>
    /// <param name="payload">The datagrams, one behind the other; may be of any length.</param>
    /// <param name="segmentSize">The length of each datagram but the last, which may be shorter; 0 makes all bytes one datagram.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="segmentsSent">
    /// How many datagrams left: all with <see cref="DatagramSendResult.Sent"/>, else those before the one that the result is
    /// about, after which no other was tried. The rest of the payload starts at this many segment sizes.
    /// </param>
    /// <param name="from">As for one datagram.</param>
    /// <param name="options">What differs from the socket's defaults, for each of the datagrams.</param>
    /// <exception cref="ObjectDisposedException">The socket was disposed.</exception>
    public abstract DatagramSendResult SendSegments(
        ReadOnlySpan<byte> payload,
        int segmentSize,
        in TransportAddress remote,
        out int segmentsSent,
        in TransportAddress from = default,
        DatagramSendOptions options = default);

    /// <summary>
    /// Sends each slot of the batch once, in order, without blocking; <see cref="DatagramSendBatch.ResultOf"/> says
    /// what became of each. One that fails does not keep the next from being sent, but after the first
    /// <see cref="DatagramSendResult.WouldBlock"/> the rest is not tried.
    /// </summary>
    /// <param name="batch">The datagrams; it keeps them until <see cref="DatagramSendBatch.Clear"/>.</param>
    /// <returns>How many slots were sent whole.</returns>
    /// <exception cref="ObjectDisposedException">The socket was disposed.</exception>
    public abstract int Send(DatagramSendBatch batch);

    /// <summary>
    /// Takes one reported ICMP error; false when there is none, without a system call. A report ends a pending
    /// <see cref="WaitToReceiveAsync"/>, except when a send met it first: ask after each wait and after sending. Needs
    /// <see cref="DatagramSocketOptions.ReportErrors"/> and <see cref="DatagramSocketCapabilities.ErrorReports"/>;
    /// <see cref="ReceiveBlocking"/> drops what nobody has taken. Belongs to the consumer that receives.
    /// </summary>
    /// <param name="error">The error.</param>
    /// <exception cref="ObjectDisposedException">The socket was disposed.</exception>
    public virtual bool TryReadError(out DatagramError error)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        error = default;
        return false;
    }

    /// <summary>Closes the socket and wakes whoever waits on it. Safe to call twice, from any thread.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            Close();
        }
    }

    /// <summary>Wakes waiters and closes the socket; called once, with <see cref="IsDisposed"/> already true.</summary>
    private protected abstract void Close();

    /// <summary>
    /// The queue of an interface was full, not the socket's buffer (ENOBUFS): the socket still counts as writable, and whoever
    /// took that as a sign to send at once would spin.
    /// </summary>
    private protected void SetQueueFull() => Volatile.Write(ref _queueFull, true);

    private protected bool TakeQueueFull() => Volatile.Read(ref _queueFull) && Interlocked.Exchange(ref _queueFull, false);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private protected async ValueTask PauseAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(PauseMilliseconds, cancellationToken).ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(IsDisposed, this);
    }

    private protected DatagramSendResult NotSent(DatagramSendResult result)
    {
        Counters.CountNotSent(result);
        return result;
    }
}
