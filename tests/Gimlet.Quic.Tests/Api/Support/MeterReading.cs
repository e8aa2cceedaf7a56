using System.Diagnostics.Metrics;

namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>Sums up one instrument of the meter <c>Gimlet.Quic</c>, of the whole process: other tests may add to it.</summary>
internal sealed class MeterReading : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _value;

    public MeterReading(string instrument, string? tag = null)
    {
        _listener.InstrumentPublished = (published, listener) =>
        {
            if (published.Meter.Name == "Gimlet.Quic" && published.Name == instrument)
            {
                listener.EnableMeasurementEvents(published);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, measurement, tags, _) =>
        {
            foreach (KeyValuePair<string, object?> pair in tags)
            {
                if (Equals(pair.Value, tag))
                {
                    _ = Interlocked.Add(ref _value, measurement);
                    return;
                }
            }

            if (tag is null)
            {
                _ = Interlocked.Add(ref _value, measurement);
            }
        });
        _listener.Start();
    }

    public long Value => Interlocked.Read(ref _value);

    public void Dispose() => _listener.Dispose();
}
