using System.Diagnostics.Metrics;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>
/// What says where time goes: how many datagrams are handed over at once, in and out. Printed to standard error every second where the
/// environment variable <see cref="Variable"/> is set; it costs a little.
/// </summary>
internal sealed class BatchMeter : IDisposable
{
    public const string Variable = "GIMLET_BENCH_BATCHES";

    private readonly MeterListener _listener = new();
    private readonly Timer _timer;
    private readonly string _role;
    private long _sent;
    private long _sends;
    private long _received;
    private long _receives;
    private long _blocked;

    private BatchMeter(string role)
    {
        _role = role;
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Gimlet.Quic")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Count(instrument.Name, value));
        _listener.Start();
        _timer = new Timer(_ => Print(), state: null, dueTime: 1000, period: 1000);
    }

    public static BatchMeter? StartIfWanted(string role) =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } ? new BatchMeter(role) : null;

    /// <summary>Says how a connection stands.</summary>
    public static void Note(Gimlet.Quic.QuicConnection connection)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 })
        {
            Console.Error.WriteLine(connection.GetStatistics());
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _listener.Dispose();
    }

    private void Count(string name, long value)
    {
        switch (name)
        {
            case "gimlet.quic.datagrams.sent":
                _ = Interlocked.Add(ref _sent, value);
                _ = Interlocked.Increment(ref _sends);
                break;
            case "gimlet.quic.datagrams.received":
                _ = Interlocked.Add(ref _received, value);
                _ = Interlocked.Increment(ref _receives);
                break;
            case "gimlet.quic.blocked":
                _ = Interlocked.Add(ref _blocked, value);
                break;
            default:
                break;
        }
    }

    private void Print()
    {
        (long sent, long sends) = (Interlocked.Exchange(ref _sent, 0), Interlocked.Exchange(ref _sends, 0));
        (long received, long receives) = (Interlocked.Exchange(ref _received, 0), Interlocked.Exchange(ref _receives, 0));
        Console.Error.WriteLine(FormattableString.Invariant(
            $"{_role}: sent {sent} ({(double)sent / Math.Max(1, sends):F1} at once), received {received} ({(double)received / Math.Max(1, receives):F1} at once), blocked {Interlocked.Exchange(ref _blocked, 0)}, lock contentions so far {Monitor.LockContentionCount}, work items so far {ThreadPool.CompletedWorkItemCount}"));
    }
}
