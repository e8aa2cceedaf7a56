using System.Diagnostics.Metrics;
using Gimlet.Server.Observability;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class MetricsTests
{
    [Fact]
    public void The_meter_counts_sessions_nodes_calls_introductions_rejects_by_reason_errors_and_drops()
    {
        using var meter = new Meter("Gimlet.Server.Test." + Guid.NewGuid());
        var sums = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter, meter))
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            string name = instrument.Name["gimlet.server.".Length..] + (tags.IsEmpty ? "" : $":{tags[0].Value}");
            sums[name] = sums.GetValueOrDefault(name) + value;
        });
        listener.Start();
        var world = new World(o => o with { Metrics = new ServerMetrics(meter) });
        WorldNode a = world.Register();
        WorldNode b = world.Register(with: m => m with { Candidates = TestNode.Host("127.0.0.1:1", "10.0.0.1:1") });
        WorldNode stranger = world.Connect();
        _ = a.Call(b);
        _ = a.Call(a);
        stranger.SendBinary(new byte[10]);
        a.Send(new CandidatesMessage { Call = TestNode.NewCallId() });
        a.SendRaw("""{"type":"dance"}"""u8);
        b.Output.Full = true;
        _ = a.Call(b);
        b.Disconnect();
        world.AdvanceAlive(10, a);
        stranger.Disconnect();

        Dictionary<string, long> expected = new()
        {
            ["sessions"] = 1,
            ["nodes"] = 1,
            ["registrations"] = 2,
            ["messages"] = 18,
            ["calls"] = 3,
            ["introductions"] = 1,
            ["rejects:self"] = 1,
            ["rejects:offline"] = 1,
            ["errors:bad-message"] = 1,
            ["errors:registration-timeout"] = 1,
            ["drops:candidate"] = 1,
            ["drops:binary-frame"] = 1,
            ["drops:unknown-call"] = 1,
            ["drops:unknown-message"] = 1,
            ["drops:slow-session"] = 1,
        };
        Assert.Equal(expected.OrderBy(p => p.Key), sums.OrderBy(p => p.Key));
    }
}
