using Gimlet.Server.Relay;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Relay;

public sealed class RelayMeterTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(1);
    private static readonly PeerId Peer = new(new byte[PeerId.Size]);

    [Fact]
    public void A_second_is_there_at_once_and_the_rate_after_it()
    {
        var meter = new RelayMeter(100_000, 1000, Start);
        Assert.Equal(99, Take(meter, 1000, 100, Start));
        Assert.Equal(0, Take(meter, 1000, 100, Start));

        // 50,000 bytes came, and 965 were left.
        Assert.Equal(50, Take(meter, 1000, 100, Start + TimeSpan.FromMilliseconds(500)));
        Assert.Equal(99, Take(meter, 1000, 100, Start + TimeSpan.FromMinutes(5)));
    }

    [Fact]
    public void Zero_is_no_limit()
    {
        var meter = new RelayMeter(0, int.MaxValue, Start);
        for (int i = 0; i < 10_000; i++)
        {
            Assert.Equal(60, Take(meter, 1000, 60, Start));
        }
    }

    [Fact]
    public void Frames_have_a_rate_of_their_own()
    {
        var meter = new RelayMeter(0, 10, Start);
        Assert.Equal(10, Enumerable.Range(0, 100).Count(_ => meter.TryTakeFrame(Start)));
        Assert.Equal(5, Enumerable.Range(0, 100).Count(_ => meter.TryTakeFrame(Start + TimeSpan.FromMilliseconds(500))));
    }

    [Fact]
    public void A_clock_that_goes_back_a_moment_does_not_refill()
    {
        var meter = new RelayMeter(100_000, 10, Start);
        Assert.Equal(99, Take(meter, 1000, 100, Start));
        Assert.Equal(0, Take(meter, 1000, 100, Start - TimeSpan.FromSeconds(3)));
        Assert.Equal(0, Take(meter, 1000, 100, Start));
    }

    private static int Take(RelayMeter meter, int size, int count, TimeSpan now)
    {
        byte[] frame = Frames.Batch(Peer, size, Math.Min(count, 65));
        Assert.True(RelayFrame.TryRead(frame, out RelayFrame header));
        return meter.TryTakeFrame(now) ? meter.TakeDatagrams(header, header.HeaderLength + (size * count), count) : 0;
    }
}
