using System.Text.Json;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Trace.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Trace;

public sealed class QlogTraceTests : IDisposable
{
    private static readonly PathId First = new(7);
    private static readonly PathId Second = new(8);
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(100);

    private readonly MemoryStream _stream = new();
    private readonly QlogTrace _trace;

    public QlogTraceTests()
    {
        _trace = new QlogTrace(_stream, EndpointRole.Client, Ids.Hex("8394c8f03e515708"), referenceTime: 1_700_000_000_000);
        _trace.ConnectionStarted(Start, First, Ids.Hex("c1c2c3c4"), Ids.Hex("8394c8f03e515708"));
    }

    public void Dispose() => _trace.Dispose();

    [Fact]
    public void The_first_record_says_what_the_trace_is()
    {
        JsonElement header = QlogRecords.Parse(_stream.ToArray())[0];
        Assert.Equal("0.3", header.Text("qlog_version"));
        Assert.Equal("JSON-SEQ", header.Text("qlog_format"));
        Assert.Equal("client", header.Text("trace", "vantage_point", "type"));
        Assert.Equal("8394c8f03e515708", header.Text("trace", "common_fields", "ODCID"));
        Assert.Equal("relative", header.Text("trace", "common_fields", "time_format"));
        Assert.Equal(1_700_000_000_000, header.Number("trace", "common_fields", "reference_time"));
    }

    [Fact]
    public void A_packet_has_its_header_its_sizes_and_its_frames()
    {
        byte[] payload = Payload((ref WireWriter w) =>
        {
            Assert.True(new CryptoFrame(5, "hello"u8).TryWrite(ref w));
            Assert.True(PingFrame.TryWrite(ref w));
            w.Reserve(30).Clear();
        });
        _trace.PacketSent(Start + TimeSpan.FromMicroseconds(1_234_567), First, PacketType.Initial, 3, 1200, payload);
        JsonElement record = Last();
        Assert.Equal("transport:packet_sent", record.Text("name"));
        Assert.Equal(1234.567, record.At("time").GetDouble());
        Assert.False(record.TryGetProperty("path", out _));
        Assert.Equal("initial", record.Text("data", "header", "packet_type"));
        Assert.Equal(3, record.Number("data", "header", "packet_number"));
        Assert.Equal(1200, record.Number("data", "raw", "length"));
        Assert.Equal(payload.Length, record.Number("data", "raw", "payload_length"));
        JsonElement[] frames = [.. record.At("data", "frames").EnumerateArray()];
        Assert.Equal(["crypto", "ping", "padding"], frames.Select(f => f.Text("frame_type")));
        Assert.Equal((5, 5), (frames[0].Number("offset"), frames[0].Number("length")));
        Assert.Equal(30, frames[2].Number("payload_length"));
    }

    [Fact]
    public void The_acknowledgement_delay_is_in_milliseconds_by_the_senders_exponent()
    {
        _trace.ParametersSet(Start, isLocal: true, new TransportParameters { AckDelayExponent = 10 });
        _trace.ParametersSet(Start, isLocal: false, new TransportParameters { AckDelayExponent = 5 });
        byte[] ack = [0x02, 0x0a, 0x40, 0xc8, 0x01, 0x02, 0x02, 0x00];
        _trace.PacketReceived(Start, First, PacketType.OneRtt, 1, 60, ack);
        JsonElement frame = Assert.Single(Last().At("data", "frames").EnumerateArray());
        Assert.Equal(6.4, frame.At("ack_delay").GetDouble());
        Assert.Equal("[[8,10],[4,4]]", frame.At("acked_ranges").GetRawText());
        _trace.PacketSent(Start, First, PacketType.OneRtt, 1, 60, ack);
        Assert.Equal(204.8, Assert.Single(Last().At("data", "frames").EnumerateArray()).At("ack_delay").GetDouble());
        _trace.PacketReceived(Start, First, PacketType.Initial, 1, 60, ack);
        Assert.Equal(1.6, Assert.Single(Last().At("data", "frames").EnumerateArray()).At("ack_delay").GetDouble());
    }

    [Fact]
    public void Every_event_is_one_record_of_its_name()
    {
        _trace.StateUpdated(Start, TraceState.Attempted);
        _trace.StateUpdated(Start, TraceState.HandshakeConfirmed);
        JsonElement state = Last();
        Assert.Equal(("attempted", "handshake_confirmed"), (state.Text("data", "old"), state.Text("data", "new")));

        _trace.PacketDropped(Start, Second, PacketType.Handshake, 99, PacketDropReason.KeyUnavailable);
        Assert.Equal(("key_unavailable", "8"), (Last().Text("data", "trigger"), Last().Text("path")));
        Assert.Equal(("handshake", 99), (Last().Text("data", "header", "packet_type"), Last().Number("data", "raw", "length")));
        _trace.PacketDropped(Start, First, null, 5, PacketDropReason.HeaderInvalid);
        Assert.Equal("unknown", Last().Text("data", "header", "packet_type"));

        _trace.PacketLost(Start, First, PacketType.OneRtt, 12, PacketLossReason.TimeThreshold);
        Assert.Equal(("1RTT", "time_threshold"), (Last().Text("data", "header", "packet_type"), Last().Text("data", "trigger")));
        Assert.Equal(12, Last().Number("data", "header", "packet_number"));

        _trace.PacketLost(Start, First, PacketType.OneRtt, 13, reason: null);
        Assert.False(Last().At("data").TryGetProperty("trigger", out _));

        _trace.MetricsUpdated(Start, First, new TraceMetrics(SmoothedRtt: TimeSpan.FromMilliseconds(40.5), CongestionWindow: 12_000));
        Assert.Equal((40.5, 12_000), (Last().At("data", "smoothed_rtt").GetDouble(), Last().Number("data", "congestion_window")));
        Assert.False(Last().At("data").TryGetProperty("min_rtt", out _));

        _trace.KeyUpdated(Start, EndpointRole.Server, PacketNumberSpace.Application, 2, KeyUpdateTrigger.RemoteUpdate);
        Assert.Equal(("server_1rtt_secret", "remote_update"), (Last().Text("data", "key_type"), Last().Text("data", "trigger")));
        Assert.Equal(2, Last().Number("data", "generation"));
        _trace.KeyDiscarded(Start, PacketNumberSpace.Handshake);
        Assert.Equal("server_handshake_secret", Last().Text("data", "key_type"));

        _trace.PathUpdated(Start, Second, TracePathState.ProbingSuccessful);
        Assert.Equal(("probing_successful", "8", "8"), (Last().Text("data", "new"), Last().Text("data", "path_id"), Last().Text("path")));
        _trace.MtuUpdated(Start, First, 1200, 1452);
        Assert.Equal((1200, 1452), (Last().Number("data", "old"), Last().Number("data", "new")));

        string[] names = [.. Records().Skip(1).Select(r => r.Text("name"))];
        Assert.Equal(
            [
                "connectivity:connection_started", "connectivity:connection_state_updated", "connectivity:connection_state_updated",
                "transport:packet_dropped", "transport:packet_dropped", "recovery:packet_lost", "recovery:packet_lost",
                "recovery:metrics_updated", "security:key_updated", "security:key_discarded",
                "security:key_discarded", "connectivity:migration_state_updated", "connectivity:mtu_updated",
            ],
            names);
    }

    [Fact]
    public void Parameters_have_their_qlog_names_and_no_reset_token()
    {
        var parameters = new TransportParameters
        {
            InitialSourceConnectionId = Ids.Hex("0a0b"),
            InitialMaxData = 12,
            MaxIdleTimeout = 30_000,
            StatelessResetToken = new StatelessResetToken("0123456789abcdef"u8),
        };
        _trace.ParametersSet(Start, isLocal: false, parameters);
        JsonElement data = Last().At("data");
        Assert.Equal("transport:parameters_set", Last().Text("name"));
        Assert.Equal(("remote", "0a0b"), (data.Text("owner"), data.Text("initial_source_connection_id")));
        Assert.Equal((12, 30_000, 3), (data.Number("initial_max_data"), data.Number("max_idle_timeout"), data.Number("ack_delay_exponent")));
        Assert.False(data.TryGetProperty("stateless_reset_token", out _));
        Assert.False(data.TryGetProperty("original_destination_connection_id", out _));
    }

    [Theory]
    [InlineData(CloseKind.PeerTransport, "remote", "error", "connection_code")]
    [InlineData(CloseKind.LocalTransport, "local", "error", "connection_code")]
    [InlineData(CloseKind.PeerApplication, "remote", "application", "application_code")]
    [InlineData(CloseKind.LocalApplication, "local", "application", "application_code")]
    [InlineData(CloseKind.IdleTimeout, "local", "idle_timeout", null)]
    [InlineData(CloseKind.HandshakeTimeout, "local", "handshake_timeout", null)]
    [InlineData(CloseKind.StatelessReset, "remote", "stateless_reset", null)]
    [InlineData(CloseKind.VersionNegotiation, "remote", "version_mismatch", null)]
    [InlineData(CloseKind.Abandoned, "local", "aborted", null)]
    public void The_end_says_who_and_why(object kind, string owner, string trigger, string? code)
    {
        _trace.ConnectionClosed(Start, new CloseReason((CloseKind)kind, 10, FrameType.Padding, "\"why\"\n\u0001"));
        JsonElement data = Last().At("data");
        Assert.Equal((owner, trigger, "\"why\"\n\u0001"), (data.Text("owner"), data.Text("trigger"), data.Text("reason")));
        Assert.Equal(code is null ? 0 : 10, code is null ? 0 : data.Number(code));
    }

    [Fact]
    public void Retry_and_Version_Negotiation_have_neither_number_nor_frames()
    {
        _trace.PacketReceived(Start, First, PacketType.Retry, 0, 70, "anything"u8);
        JsonElement data = Last().At("data");
        Assert.Equal("retry", data.Text("header", "packet_type"));
        Assert.False(data.TryGetProperty("frames", out _));
        Assert.False(data.At("header").TryGetProperty("packet_number", out _));
    }

    [Fact]
    public void A_trace_stops_at_its_limit_with_whole_records()
    {
        using var stream = new MemoryStream();
        using var trace = new QlogTrace(stream, EndpointRole.Server, Ids.Hex("01"), maxBytes: 2_000);
        for (int i = 0; i < 1_000; i++)
        {
            trace.MtuUpdated(Start, First, i, i + 1);
        }

        Assert.InRange(stream.Length, 1_500, 2_000);
        Assert.Equal(1, QlogRecords.Parse(stream.ToArray())[1].Number("data", "new"));
    }

    [Fact]
    public void A_stream_that_fails_ends_the_trace_and_nothing_else()
    {
        var stream = new FailingStream();
        var trace = new QlogTrace(stream, EndpointRole.Server, Ids.Hex("01"));
        trace.MtuUpdated(Start, First, 1, 2);
        trace.MtuUpdated(Start, First, 1, 2);
        trace.ConnectionClosed(Start, new CloseReason(CloseKind.IdleTimeout, 0, FrameType.Padding, ""));
        Assert.Equal(1, stream.Writes);
        trace.Dispose();
        trace.Dispose();
    }

    [Fact]
    public void Writing_packets_allocates_nothing()
    {
        byte[] payload = Payload((ref WireWriter w) =>
        {
            w.WriteBytes([0x02, 0x0a, 0x00, 0x01, 0x02, 0x02, 0x00]);
            Assert.True(new StreamFrame(4, 1000, new byte[100], isFinal: true).TryWrite(ref w));
            Assert.True(new PathChallengeFrame(0x1122).TryWrite(ref w));
        });
        using var trace = new QlogTrace(Stream.Null, EndpointRole.Client, Ids.Hex("01"));
        Allocations.AssertNone(() =>
        {
            trace.PacketSent(Start, Second, PacketType.OneRtt, 1, 200, payload);
            trace.PacketReceived(Start, Second, PacketType.OneRtt, 1, 200, payload);
            trace.MetricsUpdated(Start, Second, new TraceMetrics(CongestionWindow: 1));
            trace.PacketLost(Start, Second, PacketType.OneRtt, 5, PacketLossReason.ReorderingThreshold);
        });
    }

    internal delegate void WriteFrames(ref WireWriter writer);

    internal static byte[] Payload(WriteFrames write)
    {
        var writer = new WireWriter(new byte[2_000]);
        write(ref writer);
        return [.. writer.Written];
    }

    private List<JsonElement> Records() => QlogRecords.Parse(_stream.ToArray());

    private JsonElement Last() => Records()[^1];

    private sealed class FailingStream : MemoryStream
    {
        public int Writes { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Writes++;
            throw new IOException("the disk is full");
        }

        public override void Flush() => throw new IOException("the disk is full");

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            throw new IOException("the disk is full");
        }
    }
}
