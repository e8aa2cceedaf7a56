using System.Net;
using Gimlet.Candidates;
using Gimlet.Hosting;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Tests.Candidates;

public sealed class CandidatePolicyTests
{
    [Theory]
    [InlineData("203.0.113.1")]
    [InlineData("10.0.0.1")]
    [InlineData("192.168.0.255")]
    [InlineData("100.64.0.1")]
    [InlineData("169.254.1.1")]
    [InlineData("223.255.255.255")]
    [InlineData("1.0.0.0")]
    [InlineData("::ffff:203.0.113.1")]
    [InlineData("2001:db8::1")]
    [InlineData("fd00::1")]
    [InlineData("fe80::1")]
    public void Checks_may_go_to(string address) => Assert.True(CandidatePolicy.MaySendTo(At(address), allowLoopback: false));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public void Checks_may_go_to_loopback_only_where_that_is_allowed(string address)
    {
        Assert.False(CandidatePolicy.MaySendTo(At(address), allowLoopback: false));
        Assert.True(CandidatePolicy.MaySendTo(At(address), allowLoopback: true));
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("::")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.254")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.170.2")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fd20:ce::254")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0.0.0.0")]
    [InlineData("::ffff:255.255.255.255")]
    public void Checks_never_go_to(string address)
    {
        Assert.False(CandidatePolicy.MaySendTo(At(address), allowLoopback: false));
        Assert.False(CandidatePolicy.MaySendTo(At(address), allowLoopback: true));
    }

    [Fact]
    public void There_is_no_port_0_and_no_empty_address()
    {
        Assert.False(CandidatePolicy.MaySendTo(At("203.0.113.1").WithPort(0), allowLoopback: true));
        Assert.False(CandidatePolicy.MaySendTo(default, allowLoopback: true));
    }

    [Theory]
    [InlineData("169.254.1.1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("192.168.1.1", true)]
    [InlineData("fd00::1", true)]
    [InlineData("2001:db8::1", true)]
    [InlineData("127.0.0.1", false)]
    public void Link_local_addresses_are_not_told(string address, bool expected) =>
        Assert.Equal(expected, CandidatePolicy.MayAdvertise(At(address), allowLoopback: false));

    [Fact]
    public void This_machine_names_at_most_so_many_addresses_per_family()
    {
        List<IPAddress> all = HostAddresses.Find(32, includeLoopback: true);
        Assert.Contains(IPAddress.Loopback, all);
        Assert.Equal(all.Distinct(), all);
        Assert.DoesNotContain(HostAddresses.Find(32, includeLoopback: false), IPAddress.IsLoopback);
        foreach (int max in new[] { 0, 1 })
        {
            Assert.All(HostAddresses.Find(max, includeLoopback: true).GroupBy(a => a.AddressFamily), g => Assert.True(g.Count() <= max));
        }
    }

    [Theory]
    [InlineData("host", CandidateKind.Host)]
    [InlineData("srflx", CandidateKind.ServerReflexive)]
    [InlineData("prflx", CandidateKind.PeerReflexive)]
    [InlineData("mapped", CandidateKind.Mapped)]
    public void A_candidate_survives_the_wire(string kind, CandidateKind expected)
    {
        var description = new CandidateDescription { Kind = kind, Address = "[2001:db8::1]:5", Unverified = true };
        Assert.True(Candidate.TryRead(description, out Candidate candidate));
        Assert.Equal(new Candidate(expected, TransportAddress.Parse("[2001:db8::1]:5"), Unverified: true), candidate);
        Assert.Equal(description, candidate.ToDescription());
    }

    [Theory]
    [InlineData(null, "192.0.2.1:1")]
    [InlineData("relay", "192.0.2.1:1")]
    [InlineData("HOST", "192.0.2.1:1")]
    [InlineData("host", null)]
    [InlineData("host", "")]
    [InlineData("host", "192.0.2.1")]
    [InlineData("host", "192.0.2.1:0")]
    [InlineData("host", "192.0.2.1:65536")]
    [InlineData("host", "example.org:1")]
    [InlineData("host", "2001:db8::1:1")]
    public void What_is_no_usable_candidate_is_not_read(string? kind, string? address)
    {
        Assert.False(Candidate.TryRead(new CandidateDescription { Kind = kind, Address = address }, out _));
        Assert.False(Candidate.TryRead(null, out _));
    }

    [Fact]
    public void Priorities_follow_RFC_8445_with_IPv6_first()
    {
        uint host4 = CandidatePriority.Of(CandidateKind.Host, At("192.0.2.1"));
        uint host6 = CandidatePriority.Of(CandidateKind.Host, At("2001:db8::1"));
        uint peer6 = CandidatePriority.Of(CandidateKind.PeerReflexive, At("2001:db8::1"));
        uint server6 = CandidatePriority.Of(CandidateKind.ServerReflexive, At("2001:db8::1"));
        Assert.True(host6 > host4 && host4 > peer6 && peer6 > server6);
        Assert.Equal((126u << 24) | (65535u << 8) | 255, host6);
        Assert.Equal(126u, host4 >> 24);
    }

    private static TransportAddress At(string address) => new(IPAddress.Parse(address), 4242);
}
