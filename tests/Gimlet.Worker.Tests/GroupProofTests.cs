using Gimlet.Quic;
using Gimlet.Worker.Tests.Support;

namespace Gimlet.Worker.Tests;

public sealed class GroupProofTests
{
    private const string Secret = "0123456789abcdef";

    [Fact]
    public void A_proof_is_worth_nothing_in_another_role_for_other_ids_or_with_another_secret()
    {
        using var a = NodeIdentity.Create();
        using var b = NodeIdentity.Create();
        byte[][] proofs =
        [
            GroupProof.Compute(Secret, isDialler: true, a.Id, b.Id),
            GroupProof.Compute(Secret, isDialler: false, a.Id, b.Id),
            GroupProof.Compute(Secret, isDialler: true, b.Id, a.Id),
            GroupProof.Compute(Secret + "0", isDialler: true, a.Id, b.Id),
        ];

        Assert.Equal(proofs.Length, proofs.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(proofs[0], GroupProof.Compute(Secret, isDialler: true, a.Id, b.Id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Members_meet(bool knowsProofs)
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync(knowsProofs: knowsProofs);
        await using LiveWorker a = await LiveWorker.StartAsync(rendezvous, "a", static o => o with { GroupSecret = Secret });
        await using LiveWorker b = await LiveWorker.StartAsync(rendezvous, "b", static o => o with { GroupSecret = Secret });

        WorkerPeer[] peers = await Task.WhenAll(a.PeerAsync(), b.PeerAsync());

        // The stream of the proofs is not the application's.
        WorkerPeer dialler = peers.Single(static p => !p.Connection.IsIncoming);
        WorkerPeer acceptor = peers.Single(static p => p.Connection.IsIncoming);
        QuicStream opened = await dialler.Connection.OpenStreamAsync(cancellationToken: TestContext.Current.CancellationToken);
        await opened.WriteAsync("first"u8.ToArray(), completeWrites: true, TestContext.Current.CancellationToken);
        using var reader = new StreamReader(await acceptor.Connection.AcceptStreamAsync(TestContext.Current.CancellationToken).Within());
        Assert.Equal("first", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("fedcba9876543210")]
    public async Task A_stranger_is_refused(string? secret)
    {
        await using TestRendezvous rendezvous = await TestRendezvous.StartAsync();
        await using LiveWorker a = await LiveWorker.StartAsync(rendezvous, "a", static o => o with { GroupSecret = Secret });
        await using LiveWorker b = await LiveWorker.StartAsync(rendezvous, "b", o => o with { GroupSecret = secret });

        WorkerTrouble trouble = await a.ToldAsync<WorkerTrouble>();

        Assert.True(trouble.Problem.Kind is GimletErrorKind.Refused or GimletErrorKind.TimedOut, trouble.Problem.Message);
        Assert.False(a.Worker.AcceptAsync(TestContext.Current.CancellationToken).IsCompleted);
    }
}
