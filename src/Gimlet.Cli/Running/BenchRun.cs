using System.Diagnostics;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Gimlet.Cli.Output;
using Gimlet.Quic;

namespace Gimlet.Cli.Running;

/// <summary>How a measurement is to be.</summary>
/// <param name="Duration">For how long.</param>
/// <param name="Streams">On how many streams at once.</param>
/// <param name="IsReverse">The listener sends.</param>
internal sealed record BenchPlan(TimeSpan Duration, int Streams, bool IsReverse);

/// <summary>Where a measurement is.</summary>
/// <param name="Bytes">What the receiver's application has.</param>
/// <param name="Elapsed">Since its first byte, by its own clock.</param>
internal readonly record struct BenchProgress(long Bytes, TimeSpan Elapsed);

/// <summary>The dialler's side of <c>gimlet bench</c>: goodput is what the receiver's application has read, by the receiver's clock.</summary>
/// <param name="connection">The connection.</param>
/// <param name="plan">How.</param>
internal sealed class BenchRun(GimletConnection connection, BenchPlan plan)
{
    // Streams are given up with this when the time is over.
    private const long Done = 0;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    // A short run over a path that drops much may be over before the first report has come through: it is waited for, for this long.
    private static readonly TimeSpan FirstReportGrace = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _firstReport = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Lock _gate = new();
    private readonly byte[] _block = RandomNumberGenerator.GetBytes(BenchWire.BlockLength);
    private long _received;
    private long _firstAt;
    private BenchReport? _report;
    private long _reportAt;

    /// <summary>Measures.</summary>
    /// <param name="progress">Told about once a second, with what came since the last time.</param>
    /// <param name="interrupted">Ends it early, with what was measured until then.</param>
    /// <exception cref="GimletException">The connection ended, or nothing was received.</exception>
    public async Task<BenchEvent> RunAsync(Action<BenchProgress, BenchProgress> progress, CancellationToken interrupted)
    {
        TimeSpan cpuBefore = Environment.CpuUsage.TotalTime;
        long lostBefore = connection.BytesLost;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        using var reporting = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        over.CancelAfter(plan.Duration);
        var streams = new List<QuicStream>();
        var parts = new List<Task> { ReadReportsAsync(reporting.Token), TellAsync(progress, over.Token) };
        BenchProgress result = default;
        try
        {
            for (int i = 0; i < plan.Streams; i++)
            {
                QuicStream stream = await connection.OpenStreamAsync(plan.IsReverse ? QuicStreamType.Bidirectional : QuicStreamType.Unidirectional, over.Token).ConfigureAwait(false);
                streams.Add(stream);
#pragma warning disable CA2025 // nobody disposes of the streams: they end with the connection, after their tasks
                parts.Add(plan.IsReverse ? TakeAsync(stream, over.Token) : GiveAsync(stream, over.Token));
#pragma warning restore CA2025
            }

            // Each runs until the time is over; whatever ends before that has failed, but for a listener that has counted the time to its own end.
            await foreach (Task part in Task.WhenEach(parts).ConfigureAwait(false))
            {
                await part.ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The time is over, or Ctrl+C was pressed.
        }
        catch (IOException e)
        {
            throw await ExplainAsync(e, interrupted).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            if (!plan.IsReverse)
            {
                _ = await Task.WhenAny(_firstReport.Task, connection.Closed, Task.Delay(FirstReportGrace, reporting.Token)).ConfigureAwait(false);
            }

            result = Progress();
            await reporting.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(parts).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        TimeSpan cpu = Environment.CpuUsage.TotalTime - cpuBefore;
        long lost = plan.IsReverse ? _report?.LostBytes ?? 0 : connection.BytesLost - lostBefore;
        ConnectionPath? path = connection.Path;
        foreach (QuicStream stream in streams)
        {
            stream.Abort(QuicAbortDirection.Both, Done);
        }

        if (result.Bytes == 0)
        {
            // Ctrl+C before there was anything is an interruption like any other.
            interrupted.ThrowIfCancellationRequested();
        }

        return result.Bytes > 0 && result.Elapsed > TimeSpan.Zero
            ? new BenchEvent(
                Math.Round(result.Bytes * 8 / result.Elapsed.TotalSeconds),
                result.Bytes,
                Math.Round(result.Elapsed.TotalSeconds, 3),
                path is null ? null : Words.Of(path.Kind),
                Math.Round(cpu.TotalSeconds, 3),
                lost)
            : throw new GimletException(GimletErrorKind.TimedOut, $"Nothing was received within {plan.Duration.TotalSeconds:0.###} s.", "Allow more time with --seconds.");
    }

    private BenchProgress Progress()
    {
        if (plan.IsReverse)
        {
            long first = Interlocked.Read(ref _firstAt);
            return new BenchProgress(Interlocked.Read(ref _received), first == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(first));
        }

        lock (_gate)
        {
            if (_report is not { } report)
            {
                return default;
            }

            // Reports come with the rest of the data. One that is late says that nothing moved, and that counts.
            TimeSpan late = Stopwatch.GetElapsedTime(_reportAt) - (2 * BenchWire.ReportInterval);
            return new BenchProgress(report.Received, late > TimeSpan.Zero ? report.Elapsed + late : report.Elapsed);
        }
    }

    private async Task TellAsync(Action<BenchProgress, BenchProgress> progress, CancellationToken cancellationToken)
    {
        BenchProgress before = default;
        using var timer = new PeriodicTimer(Second);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            BenchProgress now = Progress();
            progress(before, now);
            before = now;
        }
    }

    private async Task ReadReportsAsync(CancellationToken cancellationToken)
    {
        QuicStream reports = await connection.AcceptStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] bytes = new byte[BenchWire.ReportLength];
        while (true)
        {
            await reports.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            lock (_gate)
            {
                _report = BenchReport.Read(bytes);
                _reportAt = Stopwatch.GetTimestamp();
            }

            if (_report is { Received: > 0 })
            {
                _ = _firstReport.TrySetResult();
            }
        }
    }

    private async Task GiveAsync(QuicStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            await stream.WriteAsync(_block, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task TakeAsync(QuicStream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(BenchWire.Request(plan.Duration), completeWrites: true, cancellationToken).ConfigureAwait(false);
        PipeReader input = stream.Input;
        for (bool ended = false; !ended;)
        {
            ReadResult read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            _ = Interlocked.CompareExchange(ref _firstAt, Stopwatch.GetTimestamp(), 0);
            _ = Interlocked.Add(ref _received, read.Buffer.Length);
            input.AdvanceTo(read.Buffer.End);
            ended = read.IsCompleted;
        }
    }

    private async Task<GimletException> ExplainAsync(IOException cause, CancellationToken interrupted)
    {
        string reason = cause is EndOfStreamException or QuicException { Kind: QuicErrorKind.StreamAborted } ? "the other side has given up" : await connection.Closed.WaitAsync(interrupted).ConfigureAwait(false);
        return new GimletException(GimletErrorKind.Transport, $"The measurement ended early: {reason}.", innerException: cause);
    }
}
