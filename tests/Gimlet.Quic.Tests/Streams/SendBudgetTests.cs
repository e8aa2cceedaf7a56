using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;

namespace Gimlet.Quic.Tests.Streams;

public sealed class SendBudgetTests
{
    private const int Capacity = 300_000;
    private const int Share = 64 * 1024;

    private readonly StreamPair _pair = new(
        new StreamSetSettings { SendBufferBytes = Capacity },
        new StreamSetSettings { StreamWindow = 1 << 20, ConnectionWindow = 1 << 20 });

    [Fact]
    public void One_stream_may_have_it_all_and_every_other_has_its_share_all_the_same()
    {
        QuicStreamState first = _pair.Client.Open();
        Assert.Equal(Capacity, first.Write(new byte[Capacity + 1]));
        QuicStreamState second = _pair.Client.Open();
        Assert.Equal(Share, second.WriteRoom);
        Assert.Equal(Share, second.Write(new byte[Share + 1]));
        Assert.Equal((0, 0), (first.WriteRoom, second.WriteRoom));
        Assert.Equal(Share, _pair.Client.Open().WriteRoom);
    }

    [Fact]
    public void A_stream_goes_on_by_its_own_acknowledgements_while_another_holds_the_rest()
    {
        QuicStreamState blocked = _pair.Client.Open();
        _ = blocked.Write(new byte[Share]);
        QuicStreamState greedy = _pair.Client.Open();
        _ = greedy.Write(new byte[Capacity]);
        Assert.Equal(0, blocked.Write("x"u8));

        // Only the first stream's frames are acknowledged; the two take turns.
        for (int i = 0; i < 80; i++)
        {
            foreach (SentFrame frame in _pair.Client.Send()!.Sent.Where(f => f.Id == blocked.Id))
            {
                _pair.Client.Set.OnAcknowledged(frame);
            }
        }

        Assert.Contains(_pair.Client.Events(), e => e.Stream == blocked && e.Kind == StreamEventKind.Writable);

        // The other takes what became free, and the stream has its share all the same.
        _ = greedy.Write(new byte[Capacity]);
        Assert.Equal(0, greedy.WriteRoom);
        Assert.InRange(blocked.WriteRoom, 1, Share);
    }

    [Fact]
    public void What_was_acknowledged_or_given_up_is_free_for_all()
    {
        QuicStreamState sent = _pair.Client.Open();
        _ = sent.Write(new byte[100_000]);
        QuicStreamState reset = _pair.Client.Open();
        _ = reset.Write(new byte[Capacity]);
        QuicStreamState other = _pair.Client.Open();
        Assert.Equal(Share, other.WriteRoom);
        reset.Reset(1);
        Assert.Equal(Capacity - 100_000, other.WriteRoom);
        _pair.Flush();
        Assert.Equal(Capacity, other.WriteRoom);
        _ = other.Write(new byte[1000]);
        other.Reset(2);
        other.Reset(2);
        Assert.Equal(Capacity, sent.WriteRoom);
        _pair.Client.Set.OnConnectionClosed();
        Assert.Equal(0, sent.WriteRoom);
    }
}
