using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Nats;
using Xunit;

namespace Gimlet.NatLab.Probes;

/// <summary>The lab's own proof: every NAT is what it is called, whatever Gimlet thinks of it.</summary>
public sealed class NatTests(StandardLab lab, ITestOutputHelper output)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Sites => [.. StandardLab.ProbedSites];

    [Theory]
    [MemberData(nameof(Sites))]
    public async Task Each_NAT_behaves_as_named(string site)
    {
        // The probe and the comparison are in SiteAsync, because every test that relies on a site goes through it.
        var built = await lab.SiteAsync(site);
        output.WriteLine($"{site}: {built.Plan.Nat}, {NatReport.Expected(built.Plan.Nat)?.ToString() ?? "no UDP"}");
    }

    [Theory]
    [InlineData(StandardLab.Household)]
    [InlineData(StandardLab.HairpinHousehold)]
    [InlineData(StandardLab.Carrier)]
    public async Task Two_hosts_with_the_same_port_get_one_mapping_each(string site)
    {
        var household = await lab.SiteAsync(site);
        var server = await lab.ProbeAsync();
        using var first = new ProbeSocket(household.Hosts[0], port: 5555);
        using var second = new ProbeSocket(household.Hosts[1], port: 5555);

        // In turn, so that a NAT that decides per destination would hand the same outside port to both.
        var (early, other) = (await first.MappedAsync(server, 0, 1), await second.MappedAsync(server, 2, 3));
        var late = await first.MappedAsync(server, 2, 3);

        Assert.Single(early!.Concat(late!).Distinct());
        Assert.Single(other!.Distinct());
        Assert.NotEqual(early![0], other![0]);
    }

    [Theory]
    [InlineData(StandardLab.Household, false)]
    [InlineData(StandardLab.HairpinHousehold, true)]
    [InlineData(StandardLab.GuestWifi, true)]
    [InlineData(StandardLab.Carrier, true)]
    public async Task Hosts_meet_at_their_outside_addresses_only_where_the_NAT_hairpins(string site, bool hairpins)
    {
        var household = await lab.SiteAsync(site);
        var server = await lab.ProbeAsync();
        using var first = new ProbeSocket(household.Hosts[0]);
        using var second = new ProbeSocket(household.Hosts[1]);
        var mappedFirst = (await first.MappedAsync(server, 0))![0];
        var mappedSecond = (await second.MappedAsync(server, 0))![0];

        // Both send, twice: behind a carrier the home NATs are port-restricted and the first may only open them.
        await first.SendAsync("1"u8.ToArray(), mappedSecond);
        await second.SendAsync("2"u8.ToArray(), mappedFirst);
        await first.SendAsync("1"u8.ToArray(), mappedSecond);
        await second.SendAsync("2"u8.ToArray(), mappedFirst);
        var (cameToFirst, cameToSecond) = (await first.DrainAsync(server), await second.DrainAsync(server));

        Assert.Equal(hairpins, cameToFirst.Any(came => came.From.Equals(mappedSecond)));
        Assert.Equal(hairpins, cameToSecond.Any(came => came.From.Equals(mappedFirst)));
    }

    [Theory]
    [InlineData(StandardLab.Household, true)]
    [InlineData(StandardLab.GuestWifi, false)]
    public async Task Hosts_of_one_LAN_meet_unless_it_keeps_them_apart(string site, bool meet)
    {
        var household = await lab.SiteAsync(site);
        var server = await lab.ProbeAsync();
        using var first = new ProbeSocket(household.Hosts[0]);
        using var second = new ProbeSocket(household.Hosts[1]);

        await first.SendAsync("1"u8.ToArray(), second.Local);

        Assert.Equal(meet, (await second.DrainAsync(server)).Any(came => came.From.Equals(first.Local)));
    }

    [Theory]
    [InlineData(NatKind.FullCone)]
    [InlineData(NatKind.RestrictedCone)]
    [InlineData(NatKind.PortRestricted)]
    public async Task An_early_packet_from_the_peer_does_not_take_the_punched_port(NatKind kind)
    {
        var site = await lab.SiteAsync(StandardLab.Left(kind));
        var server = await lab.ProbeAsync();
        using var socket = new ProbeSocket(site.Host);
        var mapped = (await socket.MappedAsync(server, 0))!;

        _ = await socket.WhoGetsThroughAsync(server, 1, 2, 3);
        var afterwards = await socket.MappedAsync(server, 1, 2, 3);

        Assert.All(afterwards!, seen => Assert.Equal(mapped[0], seen));
    }

    /// <summary>Silence beyond the 30 s of the forgetful NAT takes its time, so it is only kept where long tests are wanted.</summary>
    public static TheoryData<string, int, bool> Silences => LabRequirements.IsLong
        ? new() { { StandardLab.ShortLived, 5, true }, { StandardLab.ShortLived, 35, false }, { StandardLab.Household, 35, true } }
        : new() { { StandardLab.ShortLived, 5, true } };

    [Theory]
    [MemberData(nameof(Silences))]
    public async Task A_mapping_lives_through_silence_only_as_long_as_its_NAT_remembers(string name, int seconds, bool lives)
    {
        var site = await lab.SiteAsync(name);
        var server = await lab.ProbeAsync();
        using var socket = new ProbeSocket(site.Host);
        var before = (await socket.MappedAsync(server, 0))![0];

        // The silence is what is tested.
        await Task.Delay(TimeSpan.FromSeconds(seconds), Cancellation);
        var after = (await socket.MappedAsync(server, 0))![0];

        Assert.Equal(lives, before.Equals(after));
    }

    [Fact]
    public async Task A_rebooted_NAT_forgets_its_mappings()
    {
        var site = await lab.SiteAsync(StandardLab.Left(NatKind.PortRestricted));
        var server = await lab.ProbeAsync();
        using var socket = new ProbeSocket(site.Host);
        var before = (await socket.MappedAsync(server, 0))![0];

        await site.RebootNatAsync(changeAddress: false, Cancellation);
        var restarted = (await socket.MappedAsync(server, 0))![0];
        await site.RebootNatAsync(changeAddress: true, Cancellation);
        var moved = (await socket.MappedAsync(server, 0))![0];
        await site.RebootNatAsync(changeAddress: true, Cancellation);
        var back = (await socket.MappedAsync(server, 0))![0];

        Assert.Equal(before.Address, restarted.Address);
        Assert.NotEqual(before.Port, restarted.Port);
        Assert.NotEqual(before.Address, moved.Address);
        Assert.Equal(before.Address, back.Address);
    }
}
