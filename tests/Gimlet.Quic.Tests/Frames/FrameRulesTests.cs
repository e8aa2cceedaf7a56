using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Frames.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Frames;

public sealed class FrameRulesTests
{
    private const string PacketLetters = "IH01";

    private static readonly PacketType[] Packets = [PacketType.Initial, PacketType.Handshake, PacketType.ZeroRtt, PacketType.OneRtt];

    // RFC 9000 table 3: types, packets, marks; and RFC 9221 section 4 for DATAGRAM. "ih" is written out for its two types.
    public static TheoryData<int, int, string, string> Table3 => new()
    {
        { 0x00, 0x00, "IH01", "NP" },
        { 0x01, 0x01, "IH01", "" },
        { 0x02, 0x03, "IH_1", "NC" },
        { 0x04, 0x04, "__01", "" },
        { 0x05, 0x05, "__01", "" },
        { 0x06, 0x06, "IH_1", "" },
        { 0x07, 0x07, "___1", "" },
        { 0x08, 0x0f, "__01", "F" },
        { 0x10, 0x10, "__01", "" },
        { 0x11, 0x11, "__01", "" },
        { 0x12, 0x13, "__01", "" },
        { 0x14, 0x14, "__01", "" },
        { 0x15, 0x15, "__01", "" },
        { 0x16, 0x17, "__01", "" },
        { 0x18, 0x18, "__01", "P" },
        { 0x19, 0x19, "__01", "" },
        { 0x1a, 0x1a, "__01", "P" },
        { 0x1b, 0x1b, "___1", "P" },
        { 0x1c, 0x1c, "IH01", "N" },
        { 0x1d, 0x1d, "__01", "N" },
        { 0x1e, 0x1e, "___1", "" },
        { 0x30, 0x31, "__01", "" },
    };

    [Theory]
    [MemberData(nameof(Table3))]
    public void Frames_follow_table_3(int first, int last, string packets, string marks)
    {
        for (int type = first; type <= last; type++)
        {
            var frame = (FrameType)type;
            Assert.True(FrameRules.IsKnown(frame));
            Assert.Equal(!marks.Contains('N', StringComparison.Ordinal), FrameRules.IsAckEliciting(frame));
            Assert.Equal(marks.Contains('P', StringComparison.Ordinal), FrameRules.IsProbing(frame));

            // RFC 9002 section 2: in flight are packets that are ack-eliciting or have PADDING.
            Assert.Equal(FrameRules.IsAckEliciting(frame) || frame == FrameType.Padding, FrameRules.IsInFlight(frame));
            for (int i = 0; i < Packets.Length; i++)
            {
                bool isAllowed = packets[i] == PacketLetters[i];
                Assert.Equal(isAllowed, FrameRules.IsAllowed(frame, Packets[i]));
                AssertReader(frame, Packets[i], isAllowed);
            }
        }
    }

    [Fact]
    public void No_other_type_is_known()
    {
        int known = Enumerable.Range(0, 256).Count(type => FrameRules.IsKnown((FrameType)type));
        Assert.Equal(0x1f + 2, known);
        Assert.False(FrameRules.IsKnown((FrameType)(-1)));
        Assert.False(FrameRules.IsKnown((FrameType)VariableLengthInteger.MaxValue));
    }

    [Theory]
    [InlineData(0x07)]
    [InlineData(0x1e)]
    public void A_client_must_not_send_the_frames_of_servers(int type)
    {
        byte[] payload = FrameSamples.Payload((FrameType)type, new Random(1));
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Client);
        Assert.False(reader.MoveNext());
        Assert.Equal((TransportErrorCode.ProtocolViolation, (FrameType)type), (reader.Error.Code, reader.Error.FrameType));
    }

    private static void AssertReader(FrameType frame, PacketType packet, bool isAllowed)
    {
        byte[] payload = FrameSamples.Payload(frame, new Random((int)frame));
        var reader = new FrameReader(payload, packet, EndpointRole.Server);
        Assert.Equal(isAllowed, reader.MoveNext());
        if (!isAllowed)
        {
            Assert.Equal((TransportErrorCode.ProtocolViolation, frame), (reader.Error.Code, reader.Error.FrameType));
        }
    }
}
