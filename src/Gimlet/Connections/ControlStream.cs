using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <summary>
/// Stream 0 of a connection between two nodes: hellos, round trips, and what both sides tell each other of a race. The client opens it at once, the server
/// gets it from whoever accepts streams.
/// </summary>
internal sealed class ControlStream : IDisposable
{
    private readonly IControlEvents _owner;
    private readonly ulong _instance;
    private readonly PathPolicy _policy;
    private readonly TimeProvider _time;
    // A peer that sends pings and reads no answers is read no further when this many wait.
    private const int MaxAnswers = 64;

    private readonly SemaphoreSlim _writing = new(1);
    private readonly TaskCompletionSource<QuicStream> _stream = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<uint, Waiting> _pings = new();
    private int _answering;

    public ControlStream(IControlEvents owner, ulong instance, PathPolicy policy, TimeProvider time)
    {
        _policy = policy;
        _owner = owner;
        _instance = instance;
        _time = time;
    }

    /// <summary>Takes the stream, says hello, and reads until it ends.</summary>
    public async Task RunAsync(QuicStream stream)
    {
        try
        {
            // First of all, so that the hello is the first message.
            Task hello = WriteAsync(stream, ControlMessages.WriteHello(_instance, _policy.AllowsDirect, _policy.AllowsRelay));
            _ = _stream.TrySetResult(stream);
            await hello.ConfigureAwait(false);
            await ReadAsync(stream.Input).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QuicException or InvalidDataException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            _owner.ControlEnded(e);
        }
    }

    /// <summary>Makes a round trip.</summary>
    public async Task<TimeSpan> PingAsync(uint sequence, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiting = new Waiting(_time.GetTimestamp());
        _pings[sequence] = waiting;
        try
        {
            QuicStream stream = await _stream.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            await WriteAsync(stream, ControlMessages.WritePing(ControlMessages.Ping, sequence), cancellationToken).ConfigureAwait(false);
            return await waiting.Answer.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _ = _pings.TryRemove(sequence, out _);

            // The end of the connection may be told to a round trip that nobody waits for any more: that is nobody's exception.
            _ = waiting.Answer.TrySetCanceled(CancellationToken.None) ? null : waiting.Answer.Task.Exception;
        }
    }

    /// <summary>Sends a message.</summary>
    public async Task SendAsync(byte type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        QuicStream stream = await _stream.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await WriteAsync(stream, ControlMessages.Write(type, payload.Span), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The connection has ended.</summary>
    public void End(Exception reason)
    {
        _ = _stream.TrySetException(reason) ? _stream.Task.Exception : null;
        foreach (uint sequence in _pings.Keys)
        {
            if (_pings.TryRemove(sequence, out Waiting? waiting))
            {
                _ = waiting.Answer.TrySetException(reason);
            }
        }
    }

    public void Dispose() => _writing.Dispose();

    // A peer that gives no credit holds up one message, and nobody who does not want to wait: whoever waits for the turn leaves without a trace, and the message
    // under way is written to its end, because half of one would break the stream for all that follows.
    private async Task WriteAsync(QuicStream stream, byte[] message, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        Task writing = WriteInTurnAsync(stream, message);
        try
        {
            await writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The end of the connection is nobody's exception then.
            _ = writing.ContinueWith(
                static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }

    private async Task WriteInTurnAsync(QuicStream stream, byte[] message)
    {
        try
        {
            await stream.WriteAsync(message, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _ = _writing.Release();
        }
    }

    private async Task ReadAsync(PipeReader input)
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            while (ControlMessages.TryRead(ref buffer, out byte type, out byte[] payload))
            {
                Handle(type, payload);
                if (Volatile.Read(ref _answering) > MaxAnswers)
                {
                    // Those in front of us have written when it is our turn.
                    await _writing.WaitAsync().ConfigureAwait(false);
                    _ = _writing.Release();
                }
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    private void Handle(byte type, byte[] payload)
    {
        switch (type)
        {
            case ControlMessages.Hello when payload.Length >= ControlMessages.HelloLength:
                byte flags = payload[sizeof(ulong)];
                _owner.HelloReceived(
                    BinaryPrimitives.ReadUInt64BigEndian(payload), (flags & ControlMessages.UsesDirect) != 0, (flags & ControlMessages.NoRelay) == 0);
                break;
            case ControlMessages.Ping when payload.Length >= ControlMessages.PingLength:
                uint sequence = BinaryPrimitives.ReadUInt32BigEndian(payload);
                Answer(sequence);
                _owner.PingReceived(sequence);
                break;
            case ControlMessages.Pong when payload.Length >= ControlMessages.PingLength:
                if (_pings.TryRemove(BinaryPrimitives.ReadUInt32BigEndian(payload), out Waiting? waiting))
                {
                    _ = waiting.Answer.TrySetResult(_time.GetElapsedTime(waiting.SentAt));
                }

                break;
            case ControlMessages.Finding:
                _owner.FindingReceived(payload);
                break;
            case ControlMessages.Decision:
                _owner.DecisionReceived(payload);
                break;
            default:
                break;
        }
    }

    // Not awaited by the reader: its own pings' answers may be behind it.
    private void Answer(uint sequence) => _ = AnswerAsync(sequence);

    private async Task AnswerAsync(uint sequence)
    {
        _ = Interlocked.Increment(ref _answering);
        try
        {
            QuicStream stream = await _stream.Task.ConfigureAwait(false);
            await WriteAsync(stream, ControlMessages.WritePing(ControlMessages.Pong, sequence)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is QuicException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection has ended; the reader sees the same and tells.
        }
        finally
        {
            _ = Interlocked.Decrement(ref _answering);
        }
    }

    private sealed class Waiting(long sentAt)
    {
        public long SentAt { get; } = sentAt;

        public TaskCompletionSource<TimeSpan> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What a control stream tells its connection; called from its reader, one at a time.</summary>
internal interface IControlEvents
{
    /// <summary>The peer's process has this number, and the peer uses direct paths for this connection, the relay, or both.</summary>
    void HelloReceived(ulong instance, bool usesDirect, bool usesRelay);

    /// <summary>A round trip of the peer was answered.</summary>
    void PingReceived(uint sequence);

    /// <summary>The peer's side of a race.</summary>
    void FindingReceived(ReadOnlySpan<byte> payload);

    /// <summary>What the peer takes for the outcome of a race.</summary>
    void DecisionReceived(ReadOnlySpan<byte> payload);

    /// <summary>The stream has ended, which it does with the connection.</summary>
    void ControlEnded(Exception reason);
}
