using Gimlet.Worker.Rendezvous;

namespace Gimlet.Worker.Tests;

public sealed class OptionsTests
{
    private static readonly GimletWorkerOptions Right = new() { Rendezvous = new Uri("https://gimlet.example.org") };

    public static TheoryData<string, Func<GimletWorkerOptions, GimletWorkerOptions>> Wrong => new()
    {
        { "ftp://x", static o => o with { Rendezvous = new Uri("ftp://x") } },
        { "/relative", static o => o with { Rendezvous = new Uri("/relative", UriKind.Relative) } },
        { "'..'", static o => o with { WorkerId = ".." } },
        { "1 to 128", static o => o with { WorkerId = new string('a', 129) } },
        { "group ''", static o => o with { Group = string.Empty } },
        { "15 characters", static o => o with { GroupSecret = new string('s', 15) } },
        { "(Token)", static o => o with { Token = "secret\n" } },
        { "(Token)", static o => o with { Token = "secr\u00e9t" } },
        { "(ServerToken)", static o => o with { ServerToken = "\0secret" } },
        { "proves nothing", static o => o with { ProveIdentity = false, RequireAuthentication = true } },
        { "PeerTimeout", static o => o with { PeerTimeout = TimeSpan.Zero } },
        { "PingInterval", static o => o with { PingInterval = TimeSpan.FromHours(2) } },
        { "PingTimeout", static o => o with { PingTimeout = TimeSpan.FromSeconds(-1) } },
        { "65536", static o => o with { Port = 65536 } },
        { "a:b:c", static o => o with { StunServers = ["a:b:c"] } },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_value_is_named(string expected, Func<GimletWorkerOptions, GimletWorkerOptions> make)
    {
        GimletException error = await Assert.ThrowsAsync<GimletException>(() => GimletWorker.StartAsync(make(Right), TestContext.Current.CancellationToken));

        Assert.Equal(GimletErrorKind.BadUsage, error.Kind);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message.Replace("group's secret", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Printed_options_keep_the_secrets()
    {
        string text = (Right with { GroupSecret = "0123456789abcdef", Token = "worker-token", ServerToken = "server-token" }).ToString();

        Assert.Contains("gimlet.example.org", text, StringComparison.Ordinal);
        Assert.All(["0123456789abcdef", "worker-token", "server-token"], secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://h", "wss://h/ws/register/w", "https://h/", "h:443")]
    [InlineData("http://h:8080/", "ws://h:8080/ws/register/w", "http://h:8080/", "h:8080")]
    [InlineData("ws://H/below/", "ws://h/below/ws/register/w", "http://h/below", "h:80")]
    [InlineData("wss://[2001:db8::1]:99/a/b?x#y", "wss://[2001:db8::1]:99/a/b/ws/register/w", "https://[2001:db8::1]:99/a/b", "[2001:db8::1]:99")]
    public void The_URLs_are_below_the_one_that_was_given(string given, string worker, string server, string authority)
    {
        var url = new Uri(given);
        Assert.Equal(worker, RendezvousAddress.OfWorker(url, "w", null).AbsoluteUri);
        Assert.Equal(worker + "?group=g", RendezvousAddress.OfWorker(url, "w", "g").AbsoluteUri);
        Assert.Equal(server, RendezvousAddress.OfServer(url).AbsoluteUri);
        Assert.Equal(authority, RendezvousAddress.Authority(url));
    }

    [Fact]
    public void Pauses_double_from_one_second_to_ten_and_begin_anew_after_a_good_connection()
    {
        var least = new ReconnectPause(static () => 0);
        var most = new ReconnectPause(static () => 1);
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal(1, least.Next(TimeSpan.Zero, isRefused: false).TotalSeconds);
            Assert.Equal(Math.Min(10, Math.Pow(2, i + 1)), most.Next(TimeSpan.Zero, isRefused: false).TotalSeconds);
        }

        Assert.Equal(10, most.Next(TimeSpan.FromSeconds(9), isRefused: false).TotalSeconds);
        Assert.Equal(2, most.Next(TimeSpan.FromSeconds(10), isRefused: false).TotalSeconds);
        Assert.Equal(8, least.Next(TimeSpan.FromHours(1), isRefused: true).TotalSeconds);
    }
}
