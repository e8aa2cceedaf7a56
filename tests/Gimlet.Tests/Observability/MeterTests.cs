using System.Diagnostics.Metrics;
using Gimlet.Observability;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Observability;

[Collection(Listeners.Name)]
public sealed class MeterTests : IDisposable
{
    private readonly List<(string Name, double Value, string? Tag)> _seen = [];
    private readonly Dictionary<string, Instrument> _instruments = [];
    private readonly MeterListener _listener = new();
    private readonly StatisticsCollector _collector = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public MeterTests()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Gimlet")
            {
                _instruments.Add(instrument.Name, instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();

        // The meter is made with its first use.
        _collector.AddBytes(PathKind.Direct, 0, 0);
        GimletMeter.AddOpen(0);
    }

    public void Dispose()
    {
        _listener.Dispose();
        _collector.Dispose();
    }

    [Fact]
    public void There_is_an_instrument_for_every_number_of_the_statistics()
    {
        string[] expected =
        [
            "gimlet.bytes_received", "gimlet.bytes_sent", "gimlet.calls.incoming", "gimlet.calls.outgoing", "gimlet.connections.accepted", "gimlet.connections.open",
            "gimlet.connections.opened", "gimlet.downgrades", "gimlet.migrations", "gimlet.port_mapping_renewals", "gimlet.port_mapping_state", "gimlet.punches.attempted",
            "gimlet.punches.failed", "gimlet.punches.succeeded", "gimlet.relay_fallbacks", "gimlet.time_to_direct", "gimlet.time_to_first_byte", "gimlet.upgrades",
        ];
        Assert.Equal(expected, _instruments.Keys.Order(StringComparer.Ordinal));
        Assert.All(_instruments.Values, i => Assert.False(string.IsNullOrEmpty(i.Unit) || string.IsNullOrEmpty(i.Description), i.Name));

        // The name of each, without its prefix and its stops, is the name of a property; bytes have one for each kind of path.
        string[] properties = [.. typeof(NodeStatistics).GetProperties().Select(p => p.Name)];
        Assert.All(expected, name =>
        {
            string flat = name["gimlet.".Length..].Replace(".", string.Empty, StringComparison.Ordinal).Replace("_", string.Empty, StringComparison.Ordinal);
            Assert.Contains(properties, p => p.Replace("Direct", string.Empty, StringComparison.Ordinal).Equals(flat, StringComparison.OrdinalIgnoreCase)
                || p.Equals(flat, StringComparison.OrdinalIgnoreCase));
        });
        Assert.Equal("s", _instruments["gimlet.time_to_first_byte"].Unit);
        Assert.Equal("By", _instruments["gimlet.bytes_sent"].Unit);
        Assert.Equal(
            DurationHistogram.BoundsMilliseconds.Select(ms => ms / 1000),
            Assert.IsType<Histogram<double>>(_instruments["gimlet.time_to_direct"]).Advice!.HistogramBucketBoundaries!);
    }

    [Fact]
    public void The_meter_says_the_same_as_the_statistics()
    {
        CallRecord call = _collector.BeginCall(default, Keys.Small.Id, CallDirection.Outgoing, "relay-then-direct");
        call.Introduced();
        call.PunchStarted();
        call.RelayWorks(true);
        call.PunchFailed(RelayCause.AnswersLost);
        call.PunchFailed(RelayCause.AnswersLost);
        call.FirstByte(TimeSpan.FromMilliseconds(132));
        CallRecord incoming = _collector.BeginCall(default, Keys.Small.Id, CallDirection.Incoming, "relay-then-direct");
        incoming.Introduced();
        incoming.PunchStarted();
        incoming.PunchSucceeded();
        incoming.Direct(TimeSpan.FromMilliseconds(160));
        ConnectionRecord connection = _collector.OpenConnection(CallDirection.Incoming, PathKind.Relay, 0);
        connection.UsesPath(PathKind.Direct, 1);
        connection.UsesPath(PathKind.Direct, 2);
        connection.UsesPath(PathKind.Relay, 0);
        _collector.AddBytes(PathKind.Direct, 100, 0);
        _collector.AddBytes(PathKind.Relay, 0, 70);
        _collector.SetPortMapping(PortMappingState.Mapped);
        _collector.RenewPortMapping();

        Assert.Equal(
            [
                ("gimlet.calls.outgoing", 1, null), ("gimlet.punches.attempted", 1, null), ("gimlet.punches.failed", 1, "gimlet.cause=answers-lost"),
                ("gimlet.relay_fallbacks", 1, null), ("gimlet.time_to_first_byte", 0.132, null), ("gimlet.calls.incoming", 1, null),
                ("gimlet.punches.attempted", 1, null), ("gimlet.punches.succeeded", 1, null), ("gimlet.time_to_direct", 0.16, null),
                ("gimlet.connections.accepted", 1, null), ("gimlet.upgrades", 1, null), ("gimlet.migrations", 1, null), ("gimlet.downgrades", 1, null),
                ("gimlet.bytes_sent", 100, "gimlet.path=direct"), ("gimlet.bytes_received", 70, "gimlet.path=relay"), ("gimlet.port_mapping_renewals", 1, null),
            ],
            _seen);
    }

    [Fact]
    public void States_are_right_for_a_listener_that_comes_late_and_end_with_their_node()
    {
        (double Open, double Mapped, double Lost) before = Observe();
        ConnectionRecord a = _collector.OpenConnection(CallDirection.Outgoing, PathKind.Relay, 0);
        ConnectionRecord b = _collector.OpenConnection(CallDirection.Incoming, PathKind.Relay, 0);
        _collector.SetPortMapping(PortMappingState.Mapped);
        Assert.Equal((before.Open + 2, before.Mapped + 1, before.Lost), Observe());
        a.Close();
        a.Close();
        _collector.SetPortMapping(PortMappingState.Lost);
        Assert.Equal((before.Open + 1, before.Mapped, before.Lost + 1), Observe());

        // A node that ends takes out what it still had, and what ends after it changes nothing.
        _collector.Dispose();
        Assert.Equal(before, Observe());
        b.Close();
        _collector.SetPortMapping(PortMappingState.Mapped);
        _ = _collector.OpenConnection(CallDirection.Outgoing, PathKind.Relay, 0);
        Assert.Equal(before, Observe());
    }

    [Fact]
    public void A_listener_may_ask_for_the_statistics_from_another_thread()
    {
        // It would wait for ever if the lock were held while listeners are called.
        long seen = -1;
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, l) =>
        {
            if (instrument.Name is "gimlet.punches.attempted")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) =>
        {
            var other = new Thread(() => seen = _collector.GetStatistics().PunchesAttempted);
            other.Start();
            Assert.True(other.Join(TimeSpan.FromSeconds(10)));
        });
        listener.Start();
        CallRecord call = _collector.BeginCall(default, Keys.Small.Id, CallDirection.Outgoing, "relay-then-direct");
        call.Introduced();
        call.PunchStarted();
        Assert.Equal(1, seen);
    }

    private (double Open, double Mapped, double Lost) Observe()
    {
        _seen.Clear();
        _listener.RecordObservableInstruments();
        return (
            _seen.Single(s => s.Name == "gimlet.connections.open").Value,
            _seen.Single(s => s.Tag == "gimlet.state=mapped").Value,
            _seen.Single(s => s.Tag == "gimlet.state=lost").Value);
    }

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (Environment.CurrentManagedThreadId == _thread)
        {
            _seen.Add((instrument.Name, value, tags.IsEmpty ? null : $"{tags[0].Key}={tags[0].Value}"));
        }
    }
}
