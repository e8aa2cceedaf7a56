using System.Text.Json;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Tests.Trace.Support;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Trace;

/// <summary>The traces of two ends of a real connection.</summary>
public sealed class QlogConnectionTests
{
    [Fact]
    public void Both_traces_tell_the_story_of_a_connection_with_losses()
    {
        var streams = new Dictionary<EndpointRole, (ConnectionId Id, MemoryStream Stream)>();
        PairOptions options = new PairOptions().With(settings => settings with
        {
            OpenTrace = (role, id) =>
            {
                streams[role] = (id, new MemoryStream());
                return new QlogTrace(streams[role].Stream, role, id);
            },
        });
        using (var pair = new Pair(seed: 1, options))
        {
            pair.SetRtt(TimeSpan.FromMilliseconds(40)).SetLoss(5);
            var traffic = new Traffic(pair, 1, TrafficPlan.Bulk(200_000));
            pair.RunUntil(() => traffic.IsDone, TimeSpan.FromMinutes(5));
        }

        Assert.Equal(streams[EndpointRole.Client].Id, streams[EndpointRole.Server].Id);
        List<JsonElement> client = QlogRecords.Parse(streams[EndpointRole.Client].Stream.ToArray());
        List<JsonElement> server = QlogRecords.Parse(streams[EndpointRole.Server].Stream.ToArray());
        AssertStory(client, "client");
        AssertStory(server, "server");

        // What one received the other sent, frame by frame.
        var sent = Packets(client, "transport:packet_sent").ToHashSet();
        string[] received = [.. Packets(server, "transport:packet_received")];
        Assert.True(received.Length > 20);
        Assert.Subset(sent, received.ToHashSet());
        Assert.True(sent.Count > received.Length, "Nothing was lost on the way.");
    }

    private static void AssertStory(List<JsonElement> records, string side)
    {
        Assert.Equal(side, records[0].Text("trace", "vantage_point", "type"));
        Assert.Equal("connectivity:connection_started", records[1].Text("name"));
        double[] times = [.. records.Skip(1).Select(r => r.At("time").GetDouble())];
        Assert.Equal(0, times[0]);
        Assert.Equal(times.Order(), times);
        var names = records.Skip(1).Select(r => r.Text("name")).ToHashSet();
        Assert.Subset(
            names,
            new HashSet<string> { "transport:parameters_set", "transport:packet_sent", "transport:packet_received", "connectivity:connection_state_updated" });
        var frames = records.Where(r => r.TryGetProperty("data", out JsonElement data) && data.TryGetProperty("frames", out _))
            .SelectMany(r => r.At("data", "frames").EnumerateArray())
            .Select(f => f.Text("frame_type"))
            .ToHashSet();
        Assert.Subset(frames, new HashSet<string> { "crypto", "ack", "stream", "handshake_done", "padding" });
        Assert.DoesNotContain("unknown", frames);
    }

    private static IEnumerable<string> Packets(List<JsonElement> records, string name) =>
        records.Skip(1).Where(r => r.Text("name") == name).Select(r =>
            $"{r.Text("data", "header", "packet_type")} {r.Number("data", "header", "packet_number")} {FrameTypes(r)}");

    private static string FrameTypes(JsonElement record) =>
        string.Join(',', record.At("data", "frames").EnumerateArray().Select(f => f.Text("frame_type")));
}
