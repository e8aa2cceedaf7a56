using Gimlet.Quic.Connections;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>All verbs at random times while random applications talk: whatever happens, what must arrive arrives.</summary>
public sealed class ChaosTests
{
    private const int Verbs = 25;

    [Fact]
    public void A_foreign_pair_survives_everything() => Seeds.Run(80, seed => Run(seed, isGimlet: false));

    [Fact]
    public void A_pair_of_nodes_survives_everything() => Seeds.Run(80, seed => Run(seed, isGimlet: true));

    private static void Run(int seed, bool isGimlet)
    {
        var random = new Random(seed);
        PairOptions options = HandshakeTests.Patient(new PairOptions { Retry = random.Next(4) == 0 }).With(s => s with
        {
            GimletPaths = isGimlet,
            KeepAlive = TimeSpan.FromSeconds(1),
            StreamWindow = 1 << random.Next(13, 20),
            ConnectionWindow = 1 << random.Next(14, 21),
        });
        using var pair = new Pair(seed, options);
        for (int i = 0; i < 3; i++)
        {
            pair.Network.AddWay();
        }

        TransferTests.BadNetwork(pair, random);
        var traffic = new Traffic(pair, seed, Plan(random), Plan(random));
        pair.Handshake();
        for (int i = 0; i < Verbs && !traffic.IsDone; i++)
        {
            pair.Run(TimeSpan.FromMilliseconds(random.Next(1, 300)));
            Do(pair, random);
        }

        // In the end the network is good enough, and all is left to the connection.
        pair.SetLoss(1).ChangeMtu(1300).Duplicate(0).Corrupt(0);
        foreach (Way way in pair.Network.Ways)
        {
            way.Both(link => link.DarkUntil = pair.Now);
        }

        if (isGimlet)
        {
            // The owner of the paths finds out in the end which one works, and says so as long as the connection leaves it again.
            for (int i = 0; i < 30 && !(traffic.IsDone && traffic.IsForgotten); i++)
            {
                _ = pair.Client.Core.TryUsePath(pair.Now, pair.Way.Client);
                _ = pair.Server.Core.TryUsePath(pair.Now, pair.Way.Server);
                pair.Run(TimeSpan.FromSeconds(2));
            }
        }

        TransferTests.Finish(pair, traffic);
    }

    private static TrafficPlan Plan(Random random) => TransferTests.RandomPlan(random) with { Bytes = random.Next(50_000), Chunk = 1 << random.Next(8, 16) };

    private static void Do(Pair pair, Random random)
    {
        Way way = pair.Network.Ways[random.Next(pair.Network.Ways.Count)];
        EndpointRole side = (EndpointRole)random.Next(2);
        switch (random.Next(10))
        {
            case 0:
                pair.Rebind(way);
                break;
            case 1:
                pair.SetLoss(random.Next(30));
                break;
            case 2:
                pair.ChangeMtu(random.Next(1200, 1500));
                break;
            case 3:
                pair.BlackHole(TimeSpan.FromMilliseconds(random.Next(2000)));
                break;
            case 4:
                way.Both(link => link.Delay = TimeSpan.FromMilliseconds(random.Next(1, 150)));
                break;
            case 5:
                _ = pair[side].Core.TryUpdateKeys();
                break;
            case 6:
                pair.Reorder(random.Next(40), TimeSpan.FromMilliseconds(random.Next(1, 100)));
                break;
            case 7:
                pair.SetRate(random.Next(1_000_000, 50_000_000), random.Next(5_000, 100_000));
                break;
            case 8:
                pair[side].Core.Ping();
                break;
            default:
                _ = pair.Options.Client.GimletPaths
                    ? pair[side].Core.TryUsePath(pair.Now, way.PathOf(side))
                    : pair.Client.Core.TryMigrate(pair.Now, way.Client);
                break;
        }
    }
}
