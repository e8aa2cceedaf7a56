using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>Networks made from seeds, against a model that is too simple to be wrong: a table of what each packet is.</summary>
public sealed class RecoveryPropertyTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 30)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_the_network_does_every_packet_ends_once_and_the_bytes_in_flight_are_those_that_did_not(int seed)
    {
        var random = new Random(seed);
        int paths = 1 + (seed % 3);
        double loss = (seed % 5) * 0.08;
        int reordering = seed % 7 * 4;
        var driver = new RecoveryDriver(random: seed % 2 == 0 ? random.NextBytes : null);
        for (int i = 1; i < paths; i++)
        {
            _ = driver.AddPath(i);
        }

        var model = new Model(driver, paths);
        var underWay = new List<(TimeSpan At, long Number)>();
        var arrived = new SortedSet<long>();
        for (int step = 0; step < 1500; step++)
        {
            driver.Advance(random.Next(1, 6) * 0.5);
            int path = random.Next(paths);
            int burst = random.Next(1, 8);
            PathRecovery recovery = driver.PathOf(path);
            while (burst-- > 0 && recovery.Allowance(driver.Now) > 0)
            {
                int size = random.Next(40, 1201);
                long number = driver.Send(path, size: size, isMtuProbe: random.Next(50) == 0);
                model.OnSent(number, path, size);
                if (random.NextDouble() >= loss)
                {
                    underWay.Add((driver.Now + RecoveryDriver.Ms(10 + (30 * path) + random.Next(reordering + 1)), number));
                }
            }

            for (int i = underWay.Count - 1; i >= 0; i--)
            {
                if (underWay[i].At <= driver.Now)
                {
                    _ = arrived.Add(underWay[i].Number);
                    underWay.RemoveAt(i);
                }
            }

            // ACKs are lost and repeated as everything else; each tells of the last ranges.
            if (random.Next(3) == 0 && arrived.Count > 0)
            {
                while (arrived.Count > 500)
                {
                    _ = arrived.Remove(arrived.Min);
                }

                Acknowledge(driver, arrived);
            }

            while (driver.Loss.NextTimeout is { } next && next <= driver.Now)
            {
                if (driver.Loss.HandleTimeout(driver.Now, out ProbeRequest probe))
                {
                    long number = driver.Send(probe.Path.Value, size: 50);
                    model.OnSent(number, probe.Path.Value, 50);
                    underWay.Add((driver.Now + RecoveryDriver.Ms(10), number));
                }
            }

            model.Check();
        }

        Assert.True(driver.Acknowledged.Count > 80, $"{driver.Acknowledged.Count} packets arrived");

        // At the end everything arrives, or its path is given up.
        driver.Advance(1000);
        arrived.UnionWith(underWay.ConvertAll(packet => packet.Number));
        Acknowledge(driver, arrived);
        for (int i = 0; i < paths; i++)
        {
            driver.Loss.MarkAllLost(driver.Now, new PathId(i));
        }

        model.CheckEnd();
    }

    private static void Acknowledge(RecoveryDriver driver, SortedSet<long> arrived)
    {
        Span<AckRange> ranges = stackalloc AckRange[AckFrameWriter.MaxRanges];
        int count = 0;
        foreach (long number in arrived.Reverse())
        {
            if (count > 0 && ranges[count - 1].Smallest == number + 1)
            {
                ranges[count - 1] = ranges[count - 1] with { Smallest = number };
            }
            else if (count == 40)
            {
                break;
            }
            else
            {
                ranges[count++] = new AckRange(number, number);
            }
        }

        Assert.False(driver.AckRanges(PacketNumberSpace.Application, TimeSpan.Zero, null, ranges[..count]).IsError);
    }

    /// <summary>What each packet is: its size, as long as it is in flight.</summary>
    private sealed class Model(RecoveryDriver driver, int paths)
    {
        private readonly Dictionary<long, (int Path, int Size)> _inFlight = [];
        private readonly HashSet<long> _ended = [];
        private int _acknowledged;
        private int _lost;
        private int _sent;

        public void OnSent(long number, int path, int size)
        {
            _inFlight.Add(number, (path, size));
            _sent++;
        }

        public void Check()
        {
            for (; _acknowledged < driver.Acknowledged.Count; _acknowledged++)
            {
                End(driver.Acknowledged[_acknowledged]);
            }

            for (; _lost < driver.Lost.Count; _lost++)
            {
                End(driver.Lost[_lost]);
            }

            Span<long> bytes = stackalloc long[paths];
            foreach ((int path, int size) in _inFlight.Values)
            {
                bytes[path] += size;
            }

            for (int i = 0; i < paths; i++)
            {
                PathRecovery recovery = driver.PathOf(i);
                Assert.Equal(bytes[i], recovery.BytesInFlight);
                Assert.True(recovery.CongestionWindow >= 2400);
                Assert.Equal(bytes[i] > 0, driver.Loss.CountAckElicitingInFlight(new PathId(i)) > 0);
                Assert.True(bytes[i] == 0 || driver.Loss.NextTimeout is not null, "Nothing in flight is without a timer.");
            }
        }

        public void CheckEnd()
        {
            Check();
            Assert.Empty(_inFlight);
            Assert.Equal(_sent, _ended.Count);
            Assert.Equal(driver.Acknowledged, driver.AcknowledgedFrames.ConvertAll(frame => frame.Offset));
            Assert.Equal(driver.Lost, driver.LostFrames.ConvertAll(frame => frame.Offset));
            Assert.Null(driver.Loss.NextTimeout);
        }

        private void End(long number)
        {
            Assert.True(_ended.Add(number), $"packet {number} ended twice");
            Assert.True(_inFlight.Remove(number), $"packet {number} was never sent");
        }
    }
}
