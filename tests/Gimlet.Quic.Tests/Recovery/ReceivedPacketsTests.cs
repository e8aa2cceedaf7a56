using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>When to acknowledge, and what (RFC 9000 section 13.2).</summary>
public sealed class ReceivedPacketsTests
{
    private static readonly TimeSpan Start = Ms(1000);
    private readonly ReceivedPackets _received = new(PacketNumberSpace.Application, Ms(25));

    [Fact]
    public void Nothing_received_is_nothing_to_say()
    {
        Assert.Equal(PacketNumber.None, _received.Largest);
        Assert.False(_received.HasUnsentAck);
        Assert.False(_received.IsAckDue(Start));
        Assert.Null(_received.AckDeadline);
        var writer = new WireWriter(new byte[100]);
        Assert.False(_received.TryWriteAck(ref writer, Start, 3, out _));
        Assert.True(_received.IsNew(0));
    }

    [Fact]
    public void One_packet_waits_for_the_delay_and_a_second_one_does_not()
    {
        Add(0);
        Assert.True(_received.HasUnsentAck);
        Assert.Equal(Start + Ms(25), _received.AckDeadline);
        Assert.False(_received.IsAckDue(Start + Ms(24)));
        Assert.True(_received.IsAckDue(Start + Ms(25)));
        Add(1);
        Assert.True(_received.IsAckDue(Start));
        Assert.Equal("0-1", Write());
        Assert.False(_received.HasUnsentAck);
        Assert.Null(_received.AckDeadline);
        Add(2);
        Assert.False(_received.IsAckDue(Start));
    }

    [Fact]
    public void What_asks_for_nothing_is_acknowledged_with_the_next_that_does()
    {
        Add(0, isAckEliciting: false);
        Add(2, isAckEliciting: false);
        Assert.True(_received.HasUnsentAck);
        Assert.Null(_received.AckDeadline);
        Add(3);
        Assert.Equal(Start + Ms(25), _received.AckDeadline);
        Assert.Equal("2-3 0-0", Write());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(7)]
    public void A_gap_is_told_of_at_once(long number)
    {
        Add(0);
        _ = Write();
        Add(number);
        Assert.True(_received.IsAckDue(Start));
    }

    [Fact]
    public void A_late_packet_is_told_of_at_once()
    {
        Add(0);
        Add(2);
        _ = Write();
        Add(1);
        Assert.True(_received.IsAckDue(Start));
        Assert.Equal("0-2", Write());
    }

    [Fact]
    public void A_congestion_mark_is_told_of_at_once()
    {
        Add(0, ecn: EcnCodepoint.CongestionExperienced);
        Assert.True(_received.IsAckDue(Start));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_handshake_is_acknowledged_at_once(int space)
    {
        var received = new ReceivedPackets((PacketNumberSpace)space, Ms(25));
        received.Add(Start, 0, isAckEliciting: true, EcnCodepoint.NotEct);
        Assert.True(received.IsAckDue(Start));
    }

    [Fact]
    public void Marks_are_counted_and_reported()
    {
        Add(0);
        Assert.Equal("0-0", Write());
        Add(1, ecn: EcnCodepoint.Ect0);
        Add(2, ecn: EcnCodepoint.Ect0);
        Add(3, ecn: EcnCodepoint.Ect1);
        Add(4, ecn: EcnCodepoint.CongestionExperienced);
        Assert.Equal(new EcnCounts(2, 1, 1), _received.EcnCounts);
        Assert.Equal("0-4 ecn 2 1 1", Write());
    }

    [Fact]
    public void The_delay_counts_from_the_largest_packet_in_units_of_the_exponent()
    {
        Add(1);
        _received.Add(Start + Ms(5), 0, isAckEliciting: true, EcnCodepoint.NotEct);
        byte[] buffer = new byte[100];
        var writer = new WireWriter(buffer);
        Assert.True(_received.TryWriteAck(ref writer, Start + Ms(8), 3, out long largest));
        Assert.Equal(1, largest);
        AckFrame frame = Read(writer.Written);
        Assert.Equal(1000, frame.Delay);
    }

    [Fact]
    public void Without_room_nothing_is_written_and_the_ack_still_waits()
    {
        Add(0);
        Add(1);
        var writer = new WireWriter(new byte[3]);
        Assert.False(_received.TryWriteAck(ref writer, Start, 3, out _));
        Assert.Equal(0, writer.Position);
        Assert.True(_received.IsAckDue(Start));
        Assert.True(_received.HasUnsentAck);
    }

    [Fact]
    public void What_the_peer_knows_is_not_said_again_but_is_a_duplicate_still()
    {
        Add(0);
        Add(5);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal("5-5 0-0", Write());
        }

        _received.OnAckAcknowledged(5);
        Add(9);
        Assert.Equal("9-9", Write());
        Assert.False(_received.IsNew(0));
        Assert.False(_received.IsNew(5));
        Assert.True(_received.IsNew(4));

        // A late packet makes its range news.
        Add(4);
        Assert.Equal("9-9 4-5", Write());
    }

    [Fact]
    public void What_came_late_is_not_taken_for_known()
    {
        Add(10);
        Add(12);
        for (int i = 0; i < 3; i++)
        {
            _ = Write();
        }

        Add(3);
        _received.OnAckAcknowledged(12);
        Assert.Equal("12-12 3-3", Write());
    }

    [Fact]
    public void A_slow_path_is_answered_although_a_fast_one_made_more_ranges_than_fit()
    {
        for (long i = 0; i < 400; i += 2)
        {
            Add(i);
        }

        for (int i = 0; i < 12; i++)
        {
            _ = Write();
        }

        // 200 ranges; number 21 fills a gap far below the largest 64.
        Assert.True(_received.IsNew(21));
        Add(21);
        Assert.Contains(" 20-22", Write(), StringComparison.Ordinal);
        Assert.Contains(" 20-22", Write(), StringComparison.Ordinal);
        Assert.StartsWith("398-398 396-396", Write(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_that_leaves_gaps_on_purpose_is_forgotten_from_below()
    {
        for (long i = 0; i < 4000; i += 2)
        {
            Assert.True(_received.IsNew(i));
            Add(i);
        }

        // 256 ranges: 3488 to 3998.
        Assert.True(_received.IsNew(3489));
        Assert.False(_received.IsNew(3488));
        Assert.True(_received.IsNew(3487));
        Assert.False(_received.IsNew(3486));
        Assert.False(_received.IsNew(3485));
        Assert.False(_received.IsNew(1));
        Add(3487);
        Assert.False(_received.IsNew(3487));
        string[] ranges = Write().Split(' ');
        Assert.Equal(AckFrameWriter.MaxRanges, ranges.Length);
        Assert.Equal("3998-3998", ranges[0]);
    }

    [Fact]
    public void The_largest_number_there_is_can_be_received()
    {
        Add(VariableLengthInteger.MaxValue);
        Assert.False(_received.IsNew(VariableLengthInteger.MaxValue));
        Assert.Equal($"{VariableLengthInteger.MaxValue}-{VariableLengthInteger.MaxValue}", Write());
    }

    [Theory]
    [InlineData(1, 0.1, 20)]
    [InlineData(2, 0.5, 5)]
    [InlineData(3, 0.0, 0)]
    [InlineData(4, 0.02, 200)]
    public void Any_order_loss_and_duplication_agrees_with_a_set(int seed, double loss, int reordering)
    {
        var random = new Random(seed);
        var known = new HashSet<long>();
        var reported = new HashSet<long>();
        var sent = new List<long>();
        for (int i = 0; i < 3000; i++)
        {
            if (random.NextDouble() >= loss)
            {
                sent.Insert(Math.Max(0, sent.Count - random.Next(reordering + 1)), i);
            }
        }

        long largest = -1;
        foreach (long number in sent)
        {
            bool isNew = _received.IsNew(number);
            Assert.Equal(!known.Contains(number), isNew);
            if (isNew)
            {
                Add(number);
                _ = known.Add(number);
                largest = Math.Max(largest, number);
                Assert.Equal(largest, _received.Largest);
            }

            Assert.False(_received.IsNew(sent[random.Next(known.Count)]));
            if (random.Next(4) == 0)
            {
                string text = Write();
                foreach (string range in text.Split(' '))
                {
                    string[] ends = range.Split('-');
                    for (long n = long.Parse(ends[0]); n <= long.Parse(ends[1]); n++)
                    {
                        Assert.Contains(n, known);
                        _ = reported.Add(n);
                    }
                }

                if (random.Next(3) == 0)
                {
                    _received.OnAckAcknowledged(largest);
                }
            }
        }

        // All were reported, but for those that came after the last report.
        Assert.DoesNotContain(known, number => number < largest - 300 && !reported.Contains(number));
    }

    private void Add(long number, bool isAckEliciting = true, EcnCodepoint ecn = EcnCodepoint.NotEct)
        => _received.Add(Start, number, isAckEliciting, ecn);

    private string Write()
    {
        byte[] buffer = new byte[1200];
        var writer = new WireWriter(buffer);
        Assert.True(_received.TryWriteAck(ref writer, Start, 3, out long largest));
        Assert.Equal(_received.Largest, largest);
        AckFrame frame = Read(writer.Written);
        var parts = new List<string>();
        foreach (AckRange range in frame)
        {
            parts.Add($"{range.Smallest}-{range.Largest}");
        }

        return string.Join(' ', parts)
            + (frame.Ecn is { } ecn ? $" ecn {ecn.Ect0} {ecn.Ect1} {ecn.CongestionExperienced}" : string.Empty);
    }

    private static AckFrame Read(ReadOnlySpan<byte> payload)
    {
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Client);
        Assert.True(reader.MoveNext());
        Assert.True(AckFrame.TryRead(ref reader, out AckFrame frame));
        return frame;
    }
}
