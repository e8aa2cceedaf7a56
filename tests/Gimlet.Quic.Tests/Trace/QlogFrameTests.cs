using System.Text.Json;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Trace.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Trace;

/// <summary>What a trace says of frames, of an honest peer's and of any other's.</summary>
public sealed class QlogFrameTests
{
    private static readonly PathId Path = new(1);

    public static TheoryData<string, string> Frames => new()
    {
        { "01", """{"frame_type":"ping"}""" },
        { "000000", """{"frame_type":"padding","payload_length":3}""" },
        { "030a000003010203", """{"frame_type":"ack","ack_delay":0,"acked_ranges":[[7,10]],"ect1":2,"ect0":1,"ce":3}""" },
        { "04040910", """{"frame_type":"reset_stream","stream_id":4,"error_code":9,"final_size":16}""" },
        { "050409", """{"frame_type":"stop_sending","stream_id":4,"error_code":9}""" },
        { "06050248 69", """{"frame_type":"crypto","offset":5,"length":2}""" },
        { "07024869", """{"frame_type":"new_token","length":2}""" },
        { "08044869", """{"frame_type":"stream","stream_id":4,"offset":0,"length":2}""" },
        { "0f0405024869", """{"frame_type":"stream","stream_id":4,"offset":5,"length":2,"fin":true}""" },
        { "1005", """{"frame_type":"max_data","maximum":5}""" },
        { "110405", """{"frame_type":"max_stream_data","stream_id":4,"maximum":5}""" },
        { "1205", """{"frame_type":"max_streams","stream_type":"bidirectional","maximum":5}""" },
        { "1305", """{"frame_type":"max_streams","stream_type":"unidirectional","maximum":5}""" },
        { "1405", """{"frame_type":"data_blocked","limit":5}""" },
        { "150405", """{"frame_type":"stream_data_blocked","stream_id":4,"limit":5}""" },
        { "1605", """{"frame_type":"streams_blocked","stream_type":"bidirectional","limit":5}""" },
        { "1705", """{"frame_type":"streams_blocked","stream_type":"unidirectional","limit":5}""" },
        {
            "18020104 0a0b0c0d 000102030405060708090a0b0c0d0e0f",
            """{"frame_type":"new_connection_id","sequence_number":2,"retire_prior_to":1,"connection_id_length":4,"connection_id":"0a0b0c0d"}"""
        },
        { "1903", """{"frame_type":"retire_connection_id","sequence_number":3}""" },
        { "1a0011223344556677", """{"frame_type":"path_challenge","data":"0011223344556677"}""" },
        { "1b0011223344556677", """{"frame_type":"path_response","data":"0011223344556677"}""" },
        {
            "1c0a0802 4869",
            """{"frame_type":"connection_close","error_space":"transport","error_code":10,"raw_error_code":10,"reason":"Hi","trigger_frame_type":8}"""
        },
        {
            "1d07024869",
            """{"frame_type":"connection_close","error_space":"application","error_code":7,"raw_error_code":7,"reason":"Hi"}"""
        },
        { "1e", """{"frame_type":"handshake_done"}""" },
        { "304869", """{"frame_type":"datagram","length":2}""" },
        { "31024869", """{"frame_type":"datagram","length":2}""" },
    };

    [Theory]
    [MemberData(nameof(Frames))]
    public void Every_frame_is_written_as_qlog_defines_it(string hex, string expected)
    {
        byte[] payload = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        JsonElement frame = Assert.Single(Write(payload));
        Assert.Equal(expected, frame.GetRawText());
    }

    [Fact]
    public void There_is_a_row_for_every_type_of_frame()
    {
        var types = Frames.Select(row => Convert.ToInt64(row.Data.Item1[..2], 16)).ToHashSet();
        foreach (FrameType type in Enum.GetValues<FrameType>().Where(t => !FrameRules.IsStream(t) && t != FrameType.Ack))
        {
            Assert.Contains((long)type, types);
        }
    }

    [Fact]
    public void Frames_before_one_that_is_cut_or_unknown_are_listed()
    {
        Assert.Equal(["ping", "crypto", "unknown"], Types([0x01, 0x06, 0x00, 0x40]));
        JsonElement[] frames = Write([0x01, 0x20, 0x01]);
        Assert.Equal(["ping", "unknown"], frames.Select(f => f.Text("frame_type")));
        Assert.Equal(0x20, frames[1].Number("raw_frame_type"));
        Assert.Equal(["unknown"], Types([]));
    }

    [Fact]
    public void A_packet_of_nothing_but_pings_does_not_fill_the_disk()
    {
        byte[] payload = [.. Enumerable.Repeat((byte)1, 60_000)];
        JsonElement[] frames = Write(payload);
        Assert.Equal(QlogFrames.MaxFrames + 1, frames.Length);
        Assert.Equal(60_000 - QlogFrames.MaxFrames, frames[^1].Number("omitted_bytes"));
    }

    [Fact]
    public void A_reason_that_is_not_text_is_written_all_the_same()
    {
        JsonElement frame = Assert.Single(Write([0x1d, 0x07, 0x03, 0xff, 0x22, 0x0a]));
        Assert.Equal("\ufffd\"\n", frame.Text("reason"));
    }

    [Fact]
    public void Whatever_a_peer_sends_every_record_parses()
    {
        byte[][] samples = [.. Frames.Select(row => Convert.FromHexString(row.Data.Item1.Replace(" ", "", StringComparison.Ordinal)))];
        byte[] all = [.. samples.Where(s => s[0] is not (0x00 or 0x08 or 0x30)).SelectMany(s => s)];
        using var stream = new MemoryStream();
        using var trace = new QlogTrace(stream, EndpointRole.Server, Ids.Hex("01"));
        int count = 1;
        foreach (byte[] payload in Mutations.Truncations(all).Concat(Mutations.Random([all, .. samples], seed: 7464)))
        {
            var type = (PacketType)(count % 5);
            trace.PacketReceived(TimeSpan.FromMilliseconds(count), Path, type, count, payload.Length, payload);
            count++;
        }

        List<JsonElement> records = QlogRecords.Parse(stream.ToArray());
        Assert.Equal(count, records.Count);
        Assert.All(records.Skip(1), r => Assert.Equal("transport:packet_received", r.Text("name")));
    }

    private static string[] Types(byte[] payload) => [.. Write(payload).Select(f => f.Text("frame_type"))];

    private static JsonElement[] Write(byte[] payload)
    {
        using var stream = new MemoryStream();
        using var trace = new QlogTrace(stream, EndpointRole.Server, Ids.Hex("01"));
        trace.PacketSent(TimeSpan.Zero, Path, PacketType.OneRtt, 1, payload.Length + 30, payload);
        return [.. QlogRecords.Parse(stream.ToArray())[1].At("data", "frames").EnumerateArray()];
    }
}
