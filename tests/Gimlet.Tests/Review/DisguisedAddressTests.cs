using System.Net;
using Gimlet.Candidates;
using Gimlet.Sockets;

namespace Gimlet.Tests.Review;

public sealed class DisguisedAddressTests
{
    [Theory]
    [InlineData("[fd00:ec2::254%5]:80")]
    [InlineData("[fd20:ce::254%1]:80")]
    [InlineData("[::127.0.0.1]:80")]
    [InlineData("[::ffff:0:169.254.169.254]:80")]
    [InlineData("[64:ff9b::a9fe:a9fe]:80")]
    [InlineData("[64:ff9b:1:abcd::10.0.0.1]:80")]
    [InlineData("[2002:7f00:1::1]:80")]
    [InlineData("[2001:0:a9fe:a9fe::1]:80")]
    public void No_check_goes_to_a_denied_address_in_another_dress(string address) =>
        Assert.False(CandidatePolicy.MaySendTo(TransportAddress.Parse(address), allowLoopback: true));

    [Theory]
    [InlineData("[2001:db8::1]:80")]
    [InlineData("[2003::1]:80")]
    [InlineData("[64:ff9c::1]:80")]
    [InlineData("[fd00:ec2::255]:80")]
    public void Their_neighbours_are_ordinary_addresses(string address) =>
        Assert.True(CandidatePolicy.MaySendTo(TransportAddress.Parse(address), allowLoopback: false));

    [Fact]
    public void One_address_with_many_zones_is_one_address()
    {
        TransportAddress plain = TransportAddress.Parse("[2001:db8::1]:80");
        Assert.Equal(plain, TransportAddress.Parse("[2001:db8::1%1]:80"));
        Assert.Equal(plain, new TransportAddress(IPAddress.Parse("2001:db8::1%7"), 80));
        Assert.Equal("[2001:db8::1]:80", TransportAddress.Parse("[2001:db8::1%9]:80").ToString());
        Assert.NotEqual(TransportAddress.Parse("[fe80::1%1]:80"), TransportAddress.Parse("[fe80::1%2]:80"));
    }
}
