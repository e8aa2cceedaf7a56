using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Tests.Paths.Support;

/// <summary>A path that carries datagrams of some size, loses some of them at random, and tells MTU discovery what became of its probes.</summary>
internal sealed class MtuPath(MtuDiscovery mtu, int carries, double loss = 0, int seed = 0)
{
    private readonly Random _random = new(seed);
    private long _packetNumber;

    public int Carries { get; set; } = carries;

    public TimeSpan Now { get; set; }

    public int Probes { get; private set; }

    /// <summary>Sends probes until none is wanted; each takes 40 ms.</summary>
    public void Search()
    {
        while (mtu.TryGetProbe(Now, out int size))
        {
            Assert.InRange(size, mtu.Current + 1, 65527);
            Probes++;
            long number = _packetNumber++;
            mtu.OnProbeSent(Now, number, size);
            Assert.False(mtu.TryGetProbe(Now, out _), "Two probes are under way.");
            Now += TimeSpan.FromMilliseconds(40);
            if (size <= Carries && _random.NextDouble() >= loss)
            {
                mtu.OnProbeAcknowledged(Now, number);
            }
            else
            {
                mtu.OnProbeLost(Now, number);
            }

            Assert.InRange(mtu.Current, MtuDiscovery.Base, Math.Max(Carries, MtuDiscovery.Base));
        }
    }

    /// <summary>A packet of data.</summary>
    /// <returns>Whether the size shrank.</returns>
    public bool Send(int size, bool isLost)
    {
        Now += TimeSpan.FromMilliseconds(10);
        if (isLost)
        {
            return mtu.OnPacketLost(Now, _packetNumber++, size);
        }

        mtu.OnPacketAcknowledged(_packetNumber++, size);
        return false;
    }

    /// <summary>Packets that are all declared lost at one moment.</summary>
    public bool SendBurstThatIsLost(int count, int size)
    {
        Now += TimeSpan.FromMilliseconds(10);
        bool hasShrunk = false;
        for (int i = 0; i < count; i++)
        {
            hasShrunk |= mtu.OnPacketLost(Now, _packetNumber++, size);
        }

        return hasShrunk;
    }
}
