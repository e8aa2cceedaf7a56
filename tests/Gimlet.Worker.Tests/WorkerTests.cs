using Gimlet.Worker.Tests.Support;

namespace Gimlet.Worker.Tests;

/// <summary>Whole workers over loopback, at a small rendezvous.</summary>
public sealed class WorkerTests
{
    [Fact]
    public async Task Two_that_have_proven_their_ids_end_with_an_authenticated_connection()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync();
        await using LiveWorker a = await LiveWorker.StartAsync(rendezvous, "a");
        await using LiveWorker b = await LiveWorker.StartAsync(rendezvous, "b");

        WorkerPeer[] peers = await Task.WhenAll(a.PeerAsync(), b.PeerAsync());

        Assert.Equal(["b", "a"], peers.Select(static p => p.WorkerId));
        Assert.Equal([b.Worker.PeerId, a.Worker.PeerId], peers.Select(static p => p.PeerId!.Value));
        Assert.All(peers, static p => Assert.True(p.IsAuthenticated));
        Assert.Equal(PathKind.Direct, (await peers[0].Connection.OnDirectAsync()).Kind);
    }

    [Fact]
    public async Task Two_without_proofs_end_with_a_connection_that_says_so()
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(knowsProofs: false);
        await using LiveWorker a = await LiveWorker.StartAsync(rendezvous, "a");
        await using LiveWorker b = await LiveWorker.StartAsync(rendezvous, "b");

        WorkerPeer[] peers = await Task.WhenAll(a.PeerAsync(), b.PeerAsync());

        Assert.Equal(["b", "a"], peers.Select(static p => p.WorkerId));
        Assert.All(peers, static p => Assert.Null(p.PeerId));
        Assert.All(peers, static p => Assert.False(p.IsAuthenticated));
        Assert.True((await peers[1].Connection.PingAsync(TestContext.Current.CancellationToken)).RoundTripTime > TimeSpan.Zero);
    }
}
