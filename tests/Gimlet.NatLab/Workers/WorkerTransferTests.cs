using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Gimlet.NatLab.Cells;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Gimlet.NatLab.Transfers;
using Xunit;

namespace Gimlet.NatLab.Workers;

/// <summary>Two <c>gimlet worker</c> processes behind two NATs, which a rendezvous offers to each other, move the output of a command into a file.</summary>
public sealed class WorkerTransferTests(StandardLab lab, ITestOutputHelper output)
{
    private const string From = "stage-1";
    private const string To = "stage-2";
    private const string Secret = "what the two of them know";
    private const int Megabyte = 1_000_000;

    // Three parts that are each longer than everything on the way holds; the acceptance run takes 100.
    private const int UsualMegabytes = 24;

    // What a part may be short of while the next one is not written: pipes, and the buffers of both processes.
    private const long OnTheWay = 2 * Megabyte;

    // Enough to tell data from signalling.
    private const int Small = 2 * Megabyte;

    /// <summary>How much is sent (<c>GIMLET_LAB_WORKER_MB</c>).</summary>
    private static long Length { get; } = Megabyte * (Environment.GetEnvironmentVariable("GIMLET_LAB_WORKER_MB") is { Length: > 0 } text
        ? long.Parse(text, CultureInfo.InvariantCulture)
        : UsualMegabytes);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_rendezvous_dies_and_comes_back_in_the_middle()
    {
        var (server, from, to) = await SitesAsync(NatKind.PortRestricted);
        var folder = Directory.CreateTempSubdirectory("gimlet-workers").FullName;
        try
        {
            await using var rendezvous = await WorkerRendezvous.StartAsync(server);
            var sent = await CommandOutput.CreateAsync(folder, Cancellation);
            using var received = new GrowingFile(folder);
            await using var receiver = Start(to, rendezvous, To, "--receive", received.Path);
            await using var sender = Start(from, rendezvous, From, "--exec", sent.Command);

            // The first to go: the command outlives a worker that is killed, and holds its standard error, until there is no more to read.
            using var ending = sent;
            var offered = await ExpectOffersAsync(sender, receiver);
            var direct = Stopwatch.GetElapsedTime(offered, Math.Max((await Dial.DirectAsync(sender)).ReadAt, (await Dial.DirectAsync(receiver)).ReadAt));

            var begun = Stopwatch.GetTimestamp();
            await sent.WriteUntilAsync(Length / 3, sender);
            await received.ReachAsync((Length / 3) - OnTheWay, receiver);

            // Without a rendezvous.
            var killed = Stopwatch.GetTimestamp();
            await rendezvous.KillAsync();
            _ = await sender.WaitForAsync("rendezvous-lost");
            _ = await receiver.WaitForAsync("rendezvous-lost");
            await sent.WriteUntilAsync(Length / 3 * 2, sender);
            await received.ReachAsync((Length / 3 * 2) - OnTheWay, receiver);

            // With another one, which has to be told.
            var restarted = Stopwatch.GetTimestamp();
            await rendezvous.StartAgainAsync();
            foreach (var worker in (GimletProcess[])[sender, receiver])
            {
                _ = await worker.WaitForAsync("registered", news => news.ReadAt > restarted);
            }

            var back = await rendezvous.WaitForAsync(HasBothAndTheirEndpoints, Cancellation);
            var took = Stopwatch.GetElapsedTime(restarted);
            Assert.Equal((2, 0), (back.GetProperty("paired").GetInt32(), back.GetProperty("waiting").GetInt32()));
            await ExpectEndpointsAsync(rendezvous, sender, receiver);

            await sent.WriteUntilAsync(Length, sender);
            var hash = sent.End();
            Dial.Demand(sender, await sender.WaitForExitAsync() == 0, "it did not end with code 0");
            Dial.Demand(receiver, await receiver.WaitForExitAsync() == 0, "it did not end with code 0");
            var all = Stopwatch.GetElapsedTime(begun);

            Dial.Demand(receiver, new FileInfo(received.Path).Length == sent.Count, $"{new FileInfo(received.Path).Length} bytes arrived, {sent.Count} were sent");
            Dial.Demand(receiver, await HasHashAsync(received.Path, hash), "other bytes arrived than were sent");
            foreach (var worker in (GimletProcess[])[sender, receiver])
            {
                Dial.Demand(worker, worker.EventsSince(0).Count(static news => news.Name == "offer") == 1, "it was offered more than once");
                Dial.Demand(worker, worker.EventsSince(0).Count(static news => news.Name == "connected") == 1, "it was connected more than once");
                Dial.Demand(worker, !worker.EventsSince(killed).Any(static news => news.Name == "path"), "its path changed with the rendezvous");
            }

            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Length / Megabyte} MB in {all.TotalSeconds:0.0} s, direct {direct.TotalMilliseconds:0} ms after the offer; both back {took.TotalMilliseconds:0} ms after the rendezvous was started again"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Where_both_NATs_map_per_destination_it_goes_by_the_relay()
    {
        var (server, from, to) = await SitesAsync(NatKind.Symmetric);
        var folder = Directory.CreateTempSubdirectory("gimlet-workers").FullName;
        try
        {
            await using var rendezvous = await WorkerRendezvous.StartAsync(server);
            var sent = await CommandOutput.CreateAsync(folder, Cancellation);
            using var received = new GrowingFile(folder);
            await using var receiver = Start(to, rendezvous, To, "--receive", received.Path);
            await using var sender = Start(from, rendezvous, From, "--exec", sent.Command);

            // The first to go: the command outlives a worker that is killed, and holds its standard error, until there is no more to read.
            using var ending = sent;
            _ = await ExpectOffersAsync(sender, receiver);
            foreach (var worker in (GimletProcess[])[sender, receiver])
            {
                Dial.Demand(worker, (await worker.WaitForAsync("connected")).Text("path") == "relay", "it is not on the relay");
            }

            var meter = new RelayMeter(to);
            await meter.BeginAsync(OwnServer.HttpPort, Cancellation);
            await sent.WriteUntilAsync(Small, sender);
            var hash = sent.End();
            Dial.Demand(sender, await sender.WaitForExitAsync() == 0, "it did not end with code 0");
            Dial.Demand(receiver, await receiver.WaitForExitAsync() == 0, "it did not end with code 0");

            Dial.Demand(receiver, await HasHashAsync(received.Path, hash), "other bytes arrived than were sent");
            Assert.InRange(await meter.ReadAsync(Cancellation), Small, Small * 2);
            Dial.Demand(sender, !sender.Has("path", static news => news.Text("path") == "direct"), "it left the relay where no direct path is possible");
            Dial.Demand(receiver, !receiver.Has("path", static news => news.Text("path") == "direct"), "it left the relay where no direct path is possible");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static GimletProcess Start(LabHost host, WorkerRendezvous rendezvous, string name, params string[] work) => GimletProcess.Start(
        host, ["worker", "--rendezvous", rendezvous.Url, "--worker-id", name, "--group", "pipeline", "--group-secret", Secret, "--ephemeral", .. work]);

    // Each is offered the other, under its name and its proven id. When the last of the two offers came.
    private static async Task<long> ExpectOffersAsync(GimletProcess sender, GimletProcess receiver)
    {
        var last = 0L;
        foreach (var (worker, other, name) in new[] { (sender, receiver, To), (receiver, sender, From) })
        {
            var offer = await worker.WaitForAsync("offer");
            Dial.Demand(worker, offer.Text("peer_worker_id") == name, $"it was offered another one than {name}");
            last = Math.Max(last, offer.ReadAt);
            Dial.Demand(worker, offer.Text("peer_id") == (await other.WaitForAsync("started")).Text("peer_id"), "it was not offered the other's proven id");
        }

        return last;
    }

    // The endpoint is the last thing that a worker tells when it comes back.
    private static bool HasBothAndTheirEndpoints(JsonElement told) => told.GetProperty("connected").GetInt32() == 2
        && told.GetProperty("workers").EnumerateArray().Count(static worker => worker.GetProperty("stun_reported_udp_port").ValueKind == JsonValueKind.Number) == 2;

    private static async Task ExpectEndpointsAsync(WorkerRendezvous rendezvous, GimletProcess sender, GimletProcess receiver)
    {
        var list = await rendezvous.ListAsync(Cancellation);
        Assert.Equal(2, list.GetProperty("connected_workers_count").GetInt32());
        foreach (var (worker, name) in new[] { (sender, From), (receiver, To) })
        {
            var told = list.GetProperty("workers").GetProperty(name);
            Assert.True(told.GetProperty("websocket_connected").GetBoolean());
            var address = $"{told.GetProperty("stun_reported_udp_ip").GetString()}:{told.GetProperty("stun_reported_udp_port").GetInt32()}";
            Dial.Demand(worker, worker.Has("endpoint", news => news.Text("address") == address && news.Text("source") == "stun"), $"{address} is not what it was told by STUN");
        }
    }

    private static async Task<bool> HasHashAsync(string path, byte[] hash)
    {
        await using var file = File.OpenRead(path);
        var found = await SHA256.HashDataAsync(file, Cancellation);
        return found.AsSpan().SequenceEqual(hash);
    }

    private async Task<(LabHost Server, LabHost From, LabHost To)> SitesAsync(NatKind kind) => (
        (await lab.SiteAsync(StandardLab.Server)).Host,
        (await lab.SiteAsync(StandardLab.Left(kind))).Host,
        (await lab.SiteAsync(StandardLab.Right(kind))).Host);
}
