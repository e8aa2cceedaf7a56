using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Frames.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Frames;

public sealed class FrameRoundTripTests
{
    public static TheoryData<long> Types => [.. FrameSamples.Types.Select(type => (long)type)];

    [Theory]
    [MemberData(nameof(Types))]
    public void A_frame_with_any_values_is_read_as_it_was_written(long type)
    {
        var random = new Random((int)type);
        byte[] again = new byte[2000];
        for (int i = 0; i < 200; i++)
        {
            byte[] payload = FrameSamples.Payload((FrameType)type, random);
            string text = FrameText.Of(payload, out QuicError error, again, out int written);
            Assert.False(error.IsError, error.Reason);
            Assert.StartsWith(((FrameType)type).ToString(), text, StringComparison.Ordinal);
            if (FrameSamples.HasEnd((FrameType)type))
            {
                Assert.Equal(payload, again[..written]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_frame_is_written_whole_or_not_at_all(long type)
    {
        byte[] payload = FrameSamples.Payload((FrameType)type, new Random(7));
        for (int room = 0; room < payload.Length; room++)
        {
            byte[] buffer = new byte[room];
            var writer = new WireWriter(buffer);

            // PADDING is as long as its writer says; ACK and CONNECTION_CLOSE leave out what does not fit.
            if ((FrameType)type is FrameType.Padding or FrameType.Ack or FrameType.AckEcn or FrameType.ConnectionClose or FrameType.ApplicationClose)
            {
                continue;
            }

            Assert.False(FrameSamples.TryWrite(ref writer, (FrameType)type, new Random(7)));
            Assert.Equal(0, writer.Position);
        }
    }

    [Fact]
    public void The_payloads_of_RFC_9001_are_read()
    {
        // Appendix A.3: an ACK and a CRYPTO frame.
        byte[] payload = Convert.FromHexString(
            "02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a1200130100002e00330024001d00209d3c94"
            + "0d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304");
        var reader = new FrameReader(payload, PacketType.Initial, EndpointRole.Server);
        Assert.True(reader.MoveNext());
        Assert.True(AckFrame.TryRead(ref reader, out AckFrame ack));
        Assert.Equal((0, 0, 1, null), (ack.LargestAcknowledged, ack.Delay, ack.RangeCount, ack.Ecn));
        Assert.Equal(5, reader.FrameLength);
        Assert.True(reader.MoveNext());
        Assert.True(CryptoFrame.TryRead(ref reader, out CryptoFrame crypto));
        Assert.Equal((0, 90), (crypto.Offset, crypto.Data.Length));
        Assert.False(reader.MoveNext());
        Assert.False(reader.Error.IsError);
    }

    [Fact]
    public void Data_that_fills_the_room_fits_exactly()
    {
        byte[] buffer = new byte[20_000];
        foreach (int room in Enumerable.Range(0, 200).Concat(Enumerable.Range(16_370, 40)))
        {
            foreach (bool fillsPacket in (bool[])[true, false])
            {
                AssertLargest(
                    room,
                    StreamFrame.MaxDataLength(room, 70, 1 << 20, fillsPacket),
                    length => StreamFrame.LengthOf(70, 1 << 20, length, fillsPacket));
                AssertLargest(room, DatagramFrame.MaxDataLength(room, fillsPacket), length => DatagramFrame.LengthOf(length, fillsPacket));
            }

            AssertLargest(room, CryptoFrame.MaxDataLength(room, 100), length => CryptoFrame.LengthOf(100, length));
            int data = StreamFrame.MaxDataLength(room, 70, 1 << 20, fillsPacket: false);
            var writer = new WireWriter(buffer.AsSpan(0, room));
            Assert.Equal(data >= 0, StreamFrame.TryReserve(ref writer, 70, 1 << 20, Math.Max(data, 0), isFinal: false, fillsPacket: false, out _));
        }

        static void AssertLargest(int room, int data, Func<int, int> lengthOf)
        {
            Assert.True(data < 0 || lengthOf(data) <= room);
            Assert.True(lengthOf(Math.Max(data + 1, 0)) > room);
        }
    }

    [Fact]
    public void Ranges_that_do_not_fit_are_left_out_oldest_first()
    {
        AckRange[] ranges = [.. Enumerable.Range(0, 100).Select(i => new AckRange(10_000 - (i * 100) - 10, 10_000 - (i * 100)))];
        byte[] buffer = new byte[1200];
        var all = new WireWriter(buffer);
        Assert.Equal(AckFrameWriter.MaxRanges, AckFrameWriter.Write(ref all, ranges, 0, ecn: null));

        for (int room = 0; room < all.Position; room++)
        {
            var writer = new WireWriter(buffer.AsSpan(0, room));
            int count = AckFrameWriter.Write(ref writer, ranges, 0, new EcnCounts(1, 2, 3));
            if (count == 0)
            {
                Assert.Equal(0, writer.Position);
                Assert.InRange(room, 0, 8);
                continue;
            }

            var reader = new FrameReader(writer.Written, PacketType.OneRtt, EndpointRole.Client);
            Assert.True(reader.MoveNext());
            Assert.True(AckFrame.TryRead(ref reader, out AckFrame ack));
            int i = 0;
            foreach (AckRange range in ack)
            {
                Assert.Equal(ranges[i++], range);
            }

            Assert.Equal(count, i);
            Assert.InRange(room - writer.Position, 0, 4);
        }
    }

    [Fact]
    public void A_reason_is_cut_to_what_fits_and_not_inside_a_character()
    {
        byte[] buffer = new byte[12];
        var writer = new WireWriter(buffer);
        Assert.True(ConnectionCloseFrame.ForTransport(TransportErrorCode.InternalError, FrameType.Ping, "aßßßßßßß"u8).TryWrite(ref writer));
        var reader = new FrameReader(writer.Written, PacketType.OneRtt, EndpointRole.Client);
        Assert.True(reader.MoveNext());
        Assert.True(ConnectionCloseFrame.TryRead(ref reader, out ConnectionCloseFrame close));
        Assert.Equal("aßßß"u8, close.Reason);
        Assert.Equal((long)TransportErrorCode.InternalError, close.ErrorCode);
        Assert.Equal(FrameType.Ping, close.FrameType);

        var tooSmall = new WireWriter(buffer.AsSpan(0, 3));
        Assert.False(ConnectionCloseFrame.ForTransport(TransportErrorCode.InternalError, FrameType.Ping, "x"u8).TryWrite(ref tooSmall));
    }

    [Fact]
    public void A_close_of_the_application_says_nothing_of_itself_in_the_handshake()
    {
        ConnectionCloseFrame close = ConnectionCloseFrame.ForApplicationInHandshake();
        Assert.False(close.IsApplication);
        Assert.Equal((long)TransportErrorCode.ApplicationError, close.ErrorCode);
        Assert.True(close.Reason.IsEmpty);
    }

    [Fact]
    public void Reading_and_writing_the_frames_of_a_transfer_allocates_nothing()
    {
        byte[] buffer = new byte[1200];
        AckRange[] ranges = [new AckRange(90, 100), new AckRange(10, 50)];
        Allocations.AssertNone(() =>
        {
            var writer = new WireWriter(buffer);
            _ = AckFrameWriter.Write(ref writer, ranges, 5, new EcnCounts(1, 2, 3));
            _ = new MaxDataFrame(1 << 20).TryWrite(ref writer);
            _ = new MaxStreamDataFrame(4, 1 << 20).TryWrite(ref writer);
            _ = new PathChallengeFrame(5).TryWrite(ref writer);
            _ = DatagramFrame.TryReserve(ref writer, 100, fillsPacket: false, out _);
            int data = StreamFrame.MaxDataLength(writer.Remaining, 4, 1 << 20, fillsPacket: true);
            _ = StreamFrame.TryReserve(ref writer, 4, 1 << 20, data, isFinal: false, fillsPacket: true, out _);
            if (writer.Remaining != 0 || Walk(buffer) != 100 + data + 52)
            {
                throw new InvalidOperationException("The payload is not what was written.");
            }
        });
    }

    // Bytes of data and packets acknowledged.
    private static long Walk(ReadOnlySpan<byte> payload)
    {
        long sum = 0;
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Client);
        while (reader.MoveNext())
        {
            switch (reader.Type)
            {
                case FrameType.AckEcn when AckFrame.TryRead(ref reader, out AckFrame ack):
                    foreach (AckRange range in ack)
                    {
                        sum += range.Count;
                    }

                    break;
                case FrameType.MaxData when MaxDataFrame.TryRead(ref reader, out _):
                case FrameType.MaxStreamData when MaxStreamDataFrame.TryRead(ref reader, out _):
                case FrameType.PathChallenge when PathChallengeFrame.TryRead(ref reader, out _):
                    break;
                case FrameType.DatagramWithLength when DatagramFrame.TryRead(ref reader, out DatagramFrame datagram):
                    sum += datagram.Data.Length;
                    break;
                case >= FrameType.Stream and <= FrameType.StreamLast when StreamFrame.TryRead(ref reader, out StreamFrame stream):
                    sum += stream.Data.Length;
                    break;
                default:
                    return -1;
            }
        }

        return sum;
    }
}
