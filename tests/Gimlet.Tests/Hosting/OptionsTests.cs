namespace Gimlet.Tests.Hosting;

public sealed class OptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => new GimletNodeOptions().Validate();

    [Fact]
    public void Every_timer_and_bound_that_is_not_positive_is_named()
    {
        foreach (System.Reflection.PropertyInfo property in typeof(TraversalOptions).GetProperties().Where(p => p.CanWrite))
        {
            var options = new TraversalOptions();
            property.SetValue(options, property.PropertyType == typeof(int) ? 0 : TimeSpan.Zero);
            GimletException e = Assert.Throws<GimletException>(options.Validate);
            Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
            Assert.Contains(property.Name, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_bad_option_is_named()
    {
        var good = new GimletNodeOptions();
        (GimletNodeOptions Options, string Words)[] bad =
        [
            (good with { Servers = [new Uri("ftp://example.org")] }, "ftp://example.org"),
            (good with { Servers = [new Uri("relative", UriKind.Relative)] }, "relative"),
            (good with { Servers = [new Uri($"https://example.org/{new string('x', 300)}")] }, "longer than 255"),
            (good with { Port = -1 }, "-1"),
            (good with { Port = 65536 }, "65536"),
            (good with { StunServers = ["a b"] }, "a b"),
            (good with { StunServers = ["host:0"] }, "host:0"),
            (good with { ServerTimeout = TimeSpan.Zero }, "ServerTimeout"),
            (good with { MetadataAddress = new Uri("file:///x") }, "file:///x"),
            (good with { NoHolepunch = true, PathPolicy = PathPolicy.DirectOnly }, "PathPolicy.DirectOnly"),
            (good with { Traversal = new TraversalOptions { MaxPairs = 0 } }, "MaxPairs"),
        ];
        foreach ((GimletNodeOptions options, string words) in bad)
        {
            GimletException e = Assert.Throws<GimletException>(options.Validate);
            Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
            Assert.Contains(words, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Loopback_is_a_candidate_by_default_only_where_all_servers_are_on_this_machine()
    {
        Assert.False(new GimletNodeOptions().LoopbackAllowed);
        Assert.True(new GimletNodeOptions { Servers = [new Uri("http://127.0.0.1:1"), new Uri("http://localhost:1")] }.LoopbackAllowed);
        Assert.False(new GimletNodeOptions { Servers = [new Uri("http://127.0.0.1:1"), new Uri("http://192.0.2.1:1")] }.LoopbackAllowed);
        Assert.True(new GimletNodeOptions { AllowLoopback = true }.LoopbackAllowed);
    }
}
