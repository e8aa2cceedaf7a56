using System.Diagnostics;
using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>How a run of round trips is to be.</summary>
internal sealed record PingPlan
{
    /// <summary>How many; null for until something ends it.</summary>
    public int? Count { get; init; }

    /// <summary>From one to the next; 1 s, as ping has always done it.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The first answer for which this is true is the last one.</summary>
    public Func<PongEvent, bool> Until { get; init; } = static _ => false;
}

/// <summary>Round trips over a connection: told as they come back, counted, one at a time.</summary>
/// <param name="dialled">The connection.</param>
/// <param name="reporter">Where they are told.</param>
internal sealed class PingRun(Dialled dialled, IReporter reporter)
{
    // A direct path answers within half a second or not at all; 2 s leaves room for a satellite behind a satellite.
    private static readonly TimeSpan PongTimeout = TimeSpan.FromSeconds(2);

    private readonly GimletConnection _connection = dialled.Connection;
    private Sent? _ahead;
    private TimeSpan _shortest = TimeSpan.MaxValue;
    private TimeSpan _longest;
    private TimeSpan _sum;

    /// <summary>How many are over: answered or lost.</summary>
    public int FinishedCount { get; private set; }

    /// <summary>How many were sent.</summary>
    public int SentCount { get; private set; }

    /// <summary>How many came back.</summary>
    public int ReceivedCount { get; private set; }

    /// <summary>All of them together.</summary>
    public SummaryEvent Summary
    {
        get
        {
            SummaryEvent summary = ReceivedCount == 0
                ? new SummaryEvent(SentCount, 0, null, null, null)
                : new SummaryEvent(SentCount, ReceivedCount, Words.Milliseconds(_shortest), Words.Milliseconds(_sum / ReceivedCount), Words.Milliseconds(_longest));
            return ConnectionNews.Why(_connection, _connection.Path) is { } why
                ? summary with { Why = why.Explanation, WhyKind = why.Cause.ToCauseString(), WhatWouldHelp = why.WhatWouldHelp }
                : summary;
        }
    }

    /// <summary>What tells about the connection's paths; null where nothing does.</summary>
    public ConnectionNews? News { get; set; }

    /// <summary>Sends the first one now; what is told about the connection meanwhile does not delay it.</summary>
    public void SendAhead() => _ahead ??= Send();

    /// <summary>Makes round trips until the plan is fulfilled, the connection ends, or the command does.</summary>
    /// <param name="plan">How many and how often.</param>
    /// <param name="cancellationToken">Ends them; this is no error.</param>
    public async Task RunAsync(PingPlan plan, CancellationToken cancellationToken)
    {
        for (int i = 0; (plan.Count is null || i < plan.Count) && !cancellationToken.IsCancellationRequested; i++)
        {
            Sent sent = _ahead ?? Send();
            _ahead = null;
            PongEvent? pong = await FinishAsync(sent, cancellationToken).ConfigureAwait(false);
            FinishedCount++;
            bool last = (pong is not null && plan.Until(pong)) || i + 1 == plan.Count;
            if (last || _connection.Closed.IsCompleted)
            {
                return;
            }

            TimeSpan rest = plan.Interval - Stopwatch.GetElapsedTime(sent.At);
            if (rest > TimeSpan.Zero)
            {
                // Ends early when the connection does; the cancelled delay is not an error either.
                using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                _ = await Task.WhenAny(_connection.Closed, Task.Delay(rest, pause.Token)).ConfigureAwait(false);
                await pause.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    private Sent Send()
    {
        SentCount++;
        var bound = new CancellationTokenSource(PongTimeout);
        long at = Stopwatch.GetTimestamp();
        return new Sent(_connection.PingAsync(out int sequence, bound.Token), sequence, at, bound);
    }

    private async Task<PongEvent?> FinishAsync(Sent sent, CancellationToken cancellationToken)
    {
        using CancellationTokenSource bound = sent.Bound;
        try
        {
            PingResult result = await sent.Answer.WaitAsync(cancellationToken).ConfigureAwait(false);
            TimeSpan elapsed = dialled.Elapsed;
            ReceivedCount++;
            _shortest = result.RoundTripTime < _shortest ? result.RoundTripTime : _shortest;
            _longest = result.RoundTripTime > _longest ? result.RoundTripTime : _longest;
            _sum += result.RoundTripTime;
            var pong = new PongEvent(
                result.Sequence, Words.Milliseconds(result.RoundTripTime), Words.Of(result.Path.Kind), result.Path.Remote?.ToString(), Words.Milliseconds(elapsed));
            reporter.Report(pong);
            News?.Recheck(elapsed);
            return pong;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The command ends; whether this one would have come back nobody knows.
            SentCount--;
            return null;
        }
        catch (GimletException) when (_connection.Closed.IsCompleted)
        {
            // The connection has ended under it, which is told as such.
            SentCount--;
            return null;
        }
        catch (Exception e) when (e is OperationCanceledException or GimletException { Kind: GimletErrorKind.Transport })
        {
            // Not answered in time, or no path at this moment: it is lost, and the next one is tried.
            reporter.Report(new LostEvent(sent.Sequence));
            return null;
        }
    }

    private sealed record Sent(Task<PingResult> Answer, int Sequence, long At, CancellationTokenSource Bound);
}
