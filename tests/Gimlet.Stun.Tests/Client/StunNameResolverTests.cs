using System.Net;
using System.Net.Sockets;
using Gimlet.Sockets;
using Gimlet.Stun.Client;

namespace Gimlet.Stun.Tests.Client;

public sealed class StunNameResolverTests
{
    private static readonly StunServerAddress Name = new("stun.example.org", 3479);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_gives_a_few_addresses_of_both_families()
    {
        StunNameResolver resolver = Resolver((_, _) => Task.FromResult(new[]
        {
            IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1"), IPAddress.Parse("192.0.2.1"),
            IPAddress.Parse("192.0.2.2"), IPAddress.Parse("192.0.2.3"),
        }));
        StunResolution resolution = await resolver.ResolveAsync(Name, Token);

        Assert.Null(resolution.Error);
        Assert.Equal(
            ["192.0.2.1:3479", "192.0.2.2:3479", "[2001:db8::1]:3479"],
            resolution.Addresses.Select(address => address.ToString()));
        Assert.Equal(resolution.Addresses, resolution.ToTargets().Select(target => target.Address));
    }

    [Fact]
    public async Task An_address_is_not_looked_up()
    {
        StunNameResolver resolver = Resolver((_, _) => throw new InvalidOperationException("must not be called"));
        StunResolution resolution = await resolver.ResolveAsync(StunServerAddress.Parse("192.0.2.9"), Token);

        Assert.Equal([TransportAddress.Parse("192.0.2.9:3478")], resolution.Addresses);
    }

    [Fact]
    public async Task A_resolver_that_fails_gives_a_reason()
    {
        StunNameResolver resolver = Resolver((_, _) => Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound)));
        StunResolution resolution = await resolver.ResolveAsync(Name, Token);

        Assert.Empty(resolution.Addresses);
        Assert.Contains("stun.example.org does not resolve", resolution.Error, StringComparison.Ordinal);
        StunTarget target = Assert.Single(resolution.ToTargets());
        Assert.True(target.Address.IsEmpty);
        Assert.Equal(resolution.Error, target.Problem);
    }

    [Fact]
    public async Task A_resolver_that_throws_at_once_or_cancels_by_itself_gives_a_reason()
    {
        Assert.NotNull((await Resolver((_, _) => throw new ArgumentException("bad name")).ResolveAsync(Name, Token)).Error);
        Assert.NotNull((await Resolver((_, _) => throw new OperationCanceledException()).ResolveAsync(Name, Token)).Error);
    }

    [Fact]
    public async Task A_name_without_addresses_gives_a_reason()
    {
        StunResolution resolution = await Resolver((_, _) => Task.FromResult(Array.Empty<IPAddress>())).ResolveAsync(Name, Token);
        Assert.Equal("The name stun.example.org has no IPv4 or IPv6 address.", resolution.Error);
    }

    [Fact]
    public async Task A_resolver_that_never_answers_is_given_up()
    {
        var never = new TaskCompletionSource<IPAddress[]>();
        var resolver = new StunNameResolver((_, _) => never.Task, TimeProvider.System) { Timeout = TimeSpan.FromMilliseconds(1) };
        StunResolution resolution = await resolver.ResolveAsync(Name, Token);
        Assert.Contains("did not resolve within", resolution.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_cancels_is_obeyed()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        var never = new TaskCompletionSource<IPAddress[]>();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Resolver((_, _) => never.Task).ResolveAsync(Name, cancelled.Token));
    }

    private static StunNameResolver Resolver(Func<string, CancellationToken, Task<IPAddress[]>> lookup) => new(lookup, TimeProvider.System);
}
