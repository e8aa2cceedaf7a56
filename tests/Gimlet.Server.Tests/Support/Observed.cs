using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Gimlet.Server.Tests.Support;

/// <summary>Listens to the meter and the activity source of this process; whoever uses it runs alone.</summary>
internal sealed class Observed : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, double> _sums = [];
    private readonly List<Activity> _started = [];
    private readonly MeterListener _meter = new();
    private readonly ActivityListener _activities;

    public Observed()
    {
        _meter.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Gimlet")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meter.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meter.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument, 1, tags));
        _meter.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Gimlet",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = activity =>
            {
                lock (_gate)
                {
                    _started.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_activities);
    }

    /// <summary>All spans, in the order in which they began.</summary>
    public Activity[] Spans
    {
        get
        {
            lock (_gate)
            {
                return [.. _started];
            }
        }
    }

    /// <summary>The spans of the calls of one direction.</summary>
    public Activity[] Calls(string direction) => [.. Spans.Where(s => s.OperationName == "gimlet.call" && (string?)s.GetTagItem("gimlet.direction") == direction)];

    /// <summary>The parts of a call.</summary>
    public string[] PartsOf(Activity call) => [.. Spans.Where(s => s.ParentSpanId == call.SpanId && s.TraceId == call.TraceId).Select(static s => s.OperationName)];

    /// <summary>What a counter has counted, or how often a histogram was recorded to: of the instrument's name, or with a tag's value behind a blank.</summary>
    public double Sum(string name)
    {
        lock (_gate)
        {
            return _sums.GetValueOrDefault(name);
        }
    }

    public void Dispose()
    {
        _meter.Dispose();
        _activities.Dispose();
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string name = tags.Length == 0 ? instrument.Name : $"{instrument.Name} {tags[0].Value}";
        lock (_gate)
        {
            _sums[name] = _sums.GetValueOrDefault(name) + value;
        }
    }
}
