using Gimlet.Sockets;

namespace Gimlet.Stun.Server.Hosting;

/// <summary>One thread on one socket: receives a batch, answers it, sends the answers as a batch, until the socket is disposed.</summary>
internal sealed class StunServerWorker
{
    // A request that makes sense fits one Ethernet packet; what does not fit is dropped by the socket and counted.
    private const int MaxRequestLength = 2048;

    private static readonly int VerdictCount = Enum.GetValues<StunVerdict>().Length;

    private readonly DatagramSocket _socket;
    private readonly StunServerSockets _sockets;
    private readonly StunResponder _responder;
    private readonly DatagramReceiveBatch _received = new(DatagramReceiveBatch.DefaultCapacity, MaxRequestLength);
    private readonly DatagramSendBatch _answers = new(DatagramReceiveBatch.DefaultCapacity, StunResponder.MaxAnswerLength);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Written by this worker's thread alone, read by others: a plain 64-bit write that is not torn is enough.
    private readonly long[] _verdicts = new long[VerdictCount];
    private long _notSent;
    private long _faults;
    private Exception? _lastFault;

    public StunServerWorker(DatagramSocket socket, StunServerSockets sockets, StunResponder responder)
    {
        _socket = socket;
        _sockets = sockets;
        _responder = responder;
    }

    /// <summary>Completes when the thread has ended.</summary>
    public Task Ended => _ended.Task;

    public long NotSent => Volatile.Read(ref _notSent);

    public long Faults => Volatile.Read(ref _faults);

    public long TooLong => _socket.Counters.Truncated;

    public Exception? LastFault => Volatile.Read(ref _lastFault);

    public long Count(StunVerdict verdict) => Volatile.Read(ref _verdicts[(int)verdict]);

    public void Start() => new Thread(Run) { IsBackground = true, Name = $"stun {_socket.LocalAddress}" }.Start();

    private void Run()
    {
        try
        {
            while (_socket.ReceiveBlocking(_received) > 0)
            {
                AnswerBatch();
            }
        }
        catch (ObjectDisposedException)
        {
            // Disposed between receiving and sending: the end that was asked for.
        }
        finally
        {
            _ended.SetResult();
        }
    }

    private void AnswerBatch()
    {
        _answers.Clear();
        for (int i = 0; i < _received.Count; i++)
        {
            ReceivedDatagram request = _received[i];
            try
            {
                Answer(request);
            }
            catch (Exception e) when (e is not ObjectDisposedException)
            {
                // A defect of ours that one datagram meets must not take the server from everybody else. The host logs it.
                Volatile.Write(ref _lastFault, e);
                Volatile.Write(ref _faults, _faults + 1);
            }
        }

        if (_answers.Count > 0)
        {
            int sent = _socket.Send(_answers);
            if (sent < _answers.Count)
            {
                Volatile.Write(ref _notSent, _notSent + _answers.Count - sent);
            }
        }
    }

    private void Answer(in ReceivedDatagram request)
    {
        TransportAddress local = request.Local;
        Span<byte> room = _answers.NextPayload;
        StunAnswer answer = _responder.Answer(request.Payload, request.Remote, local, room);
        ref long count = ref _verdicts[(int)answer.Verdict];
        Volatile.Write(ref count, count + 1);
        if (answer.Length == 0)
        {
            return;
        }

        // Without packet info the local address is the wildcard, from which nothing can be sent on purpose.
        TransportAddress from = answer.Source.IsUnspecified ? default : answer.Source;
        if (answer.Source == local)
        {
            _answers.Commit(answer.Length, answer.Destination, from);
            return;
        }

        // CHANGE-REQUEST: rare, so it leaves alone and at once, by the socket of the other port or address.
        DatagramSocket? other = _sockets.Find(answer.Source);
        if (other?.Send(room[..answer.Length], answer.Destination, from) != DatagramSendResult.Sent)
        {
            Volatile.Write(ref _notSent, _notSent + 1);
        }
    }
}
