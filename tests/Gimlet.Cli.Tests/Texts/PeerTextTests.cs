using Gimlet.Cli.Options;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Texts;

public sealed class PeerTextTests
{
    private static readonly Ticket Ticket = new(PeerId.Parse(CliTest.Nobody), [new Uri("https://gimlet.example.org"), new Uri("http://192.0.2.1:8080")]);

    [Fact]
    public void A_target_is_a_peer_id() => Assert.Empty(PeerText.ReadTarget($" {CliTest.Nobody} ").Servers);

    [Fact]
    public void Or_a_ticket_which_brings_its_servers()
    {
        CallTarget target = PeerText.ReadTarget(Ticket.ToString());

        Assert.Equal(Ticket.Peer, target.Peer);
        Assert.Equal(Ticket.Servers, target.Servers);
    }

    [Fact]
    public void A_broken_ticket_is_called_a_ticket()
    {
        FormatException e = Assert.Throws<FormatException>(() => PeerText.ReadTarget(Ticket.ToString()[..^3]));
        Assert.Contains("not a valid ticket", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_neither_is_told_what_both_look_like()
    {
        FormatException e = Assert.Throws<FormatException>(() => PeerText.ReadTarget("anna"));
        Assert.Contains("gimlet1", e.Message, StringComparison.Ordinal);
        Assert.Contains("56 characters", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_may_name_its_peer()
    {
        ServerlessTarget target = PeerText.ReadServerless($"[2001:db8::1]:41002#{CliTest.Nobody}");

        Assert.Equal("[2001:db8::1]:41002", target.Address.ToString());
        Assert.Equal(PeerId.Parse(CliTest.Nobody), target.Peer);
        Assert.Null(PeerText.ReadServerless("203.0.113.7:41002").Peer);
    }

    [Theory]
    [InlineData("203.0.113.7:41002#")]
    [InlineData("203.0.113.7:41002#anna")]
    [InlineData("203.0.113.7#anna")]
    [InlineData("#")]
    public void A_broken_one_is_not_believed(string text) => Assert.Throws<FormatException>(() => PeerText.ReadServerless(text));

    [Theory]
    [InlineData("relay-then-direct", PathPolicyKind.RelayThenDirect)]
    [InlineData("direct-head-start:500", PathPolicyKind.DirectHeadStart)]
    [InlineData("direct-only", PathPolicyKind.DirectOnly)]
    [InlineData("relay-only", PathPolicyKind.RelayOnly)]
    public void A_path_policy_has_a_name(string text, PathPolicyKind expected) => Assert.Equal(expected, PathText.Read(text).Kind);
}
