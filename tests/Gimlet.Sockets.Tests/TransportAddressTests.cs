using System.Net;
using System.Net.Sockets;

namespace Gimlet.Sockets.Tests;

public sealed class TransportAddressTests
{
    [Theory]
    [InlineData("192.0.2.1:443")]
    [InlineData("0.0.0.0:1")]
    [InlineData("255.255.255.255:65535")]
    [InlineData("[2001:db8::1]:3478")]
    [InlineData("[::1]:1")]
    [InlineData("[fe80::1%7]:9")]
    public void What_is_written_reads_back(string text)
    {
        Assert.True(TransportAddress.TryParse(text, out TransportAddress address));
        Assert.Equal(text, address.ToString());
        Assert.Equal(address, TransportAddress.Parse(address.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(":")]
    [InlineData("443")]
    [InlineData("1:443")]
    [InlineData("127.1:443")]
    [InlineData("192.0.2.1")]
    [InlineData("192.0.2.1:")]
    [InlineData("192.0.2.1:0")]
    [InlineData("192.0.2.1:65536")]
    [InlineData("192.0.2.1:-1")]
    [InlineData("192.0.2.1:+1")]
    [InlineData("192.0.2.1: 1")]
    [InlineData(" 192.0.2.1:1")]
    [InlineData("192.0.2.256:1")]
    [InlineData("[192.0.2.1]:1")]
    [InlineData("2001:db8::1:3478")]
    [InlineData("[2001:db8::1]")]
    [InlineData("[2001:db8::1]3478")]
    [InlineData("[2001:db8::1:3478")]
    [InlineData("[]:1")]
    [InlineData("[:]:1")]
    [InlineData("example.org:1")]
    [InlineData("[2001:db8::1]:1:2")]
    public void What_is_no_address_and_port_is_refused(string? text)
    {
        Assert.False(TransportAddress.TryParse(text, out TransportAddress address));
        Assert.True(address.IsEmpty);
        Assert.Throws<FormatException>(() => TransportAddress.Parse(text!));
    }

    [Fact]
    public void An_IPv4_mapped_address_is_the_IPv4_address()
    {
        TransportAddress plain = TransportAddress.Parse("127.0.0.1:80");
        foreach (TransportAddress mapped in new[]
        {
            TransportAddress.Parse("[::ffff:127.0.0.1]:80"),
            new TransportAddress(IPAddress.Parse("::ffff:127.0.0.1"), 80),
            new TransportAddress(IPAddress.Parse("127.0.0.1").MapToIPv6(), 80),
            new TransportAddress(IPAddress.Parse("::ffff:127.0.0.1").GetAddressBytes(), 80, scopeId: 4),
        })
        {
            Assert.True(mapped.IsIPv4);
            Assert.True(mapped.IsLoopback);
            Assert.Equal(0u, mapped.ScopeId);
            Assert.Equal(plain, mapped);
            Assert.Equal(plain.GetHashCode(), mapped.GetHashCode());
            Assert.Equal("127.0.0.1:80", mapped.ToString());
        }
    }

    [Theory]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("::", "unspecified")]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.255", "loopback")]
    [InlineData("128.0.0.0", "")]
    [InlineData("126.255.255.255", "")]
    [InlineData("::1", "loopback")]
    [InlineData("::2", "")]
    [InlineData("169.254.0.1", "link-local")]
    [InlineData("169.253.255.255", "")]
    [InlineData("169.255.0.0", "")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("febf::1", "link-local")]
    [InlineData("fec0::1", "")]
    [InlineData("fe7f::1", "")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("239.255.255.255", "multicast")]
    [InlineData("240.0.0.1", "")]
    [InlineData("223.255.255.255", "")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("feff::1", "")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("255.255.255.254", "")]
    [InlineData("10.0.0.0", "private")]
    [InlineData("11.0.0.0", "")]
    [InlineData("172.16.0.0", "private")]
    [InlineData("172.31.255.255", "private")]
    [InlineData("172.15.255.255", "")]
    [InlineData("172.32.0.0", "")]
    [InlineData("192.168.0.1", "private")]
    [InlineData("192.169.0.1", "")]
    [InlineData("100.64.0.0", "private")]
    [InlineData("100.127.255.255", "private")]
    [InlineData("100.63.255.255", "")]
    [InlineData("100.128.0.0", "")]
    [InlineData("fc00::1", "private")]
    [InlineData("fdff::1", "private")]
    [InlineData("fe00::1", "")]
    [InlineData("192.0.2.1", "")]
    [InlineData("2001:db8::1", "")]
    public void Every_address_is_of_the_class_its_range_says(string text, string expected)
    {
        var address = new TransportAddress(IPAddress.Parse(text), 1);
        var classes = new List<string>();
        void Add(bool holds, string name)
        {
            if (holds)
            {
                classes.Add(name);
            }
        }

        Add(address.IsUnspecified, "unspecified");
        Add(address.IsLoopback, "loopback");
        Add(address.IsLinkLocal, "link-local");
        Add(address.IsMulticast, "multicast");
        Add(address.IsBroadcast, "broadcast");
        Add(address.IsPrivate, "private");
        Assert.Equal(expected, string.Join(',', classes));
    }

    [Fact]
    public void The_empty_address_is_of_no_class_and_no_family()
    {
        TransportAddress empty = default;
        Assert.True(empty.IsEmpty);
        Assert.False(empty.IsIPv4 || empty.IsIPv6 || empty.IsUnspecified || empty.IsLoopback || empty.IsLinkLocal
            || empty.IsMulticast || empty.IsBroadcast || empty.IsPrivate);
        Assert.Equal(AddressFamily.Unspecified, empty.AddressFamily);
        Assert.Equal(0, empty.WriteAddress([]));
        Assert.Equal(string.Empty, empty.ToString());
        Assert.Throws<InvalidOperationException>(() => empty.ToIPAddress());
        Assert.NotEqual(empty, new TransportAddress(IPAddress.Any, 0));
    }

    [Fact]
    public void Port_scope_and_family_take_part_in_equality()
    {
        TransportAddress address = TransportAddress.Parse("[fe80::1%3]:10");
        Assert.Equal(3u, address.ScopeId);
        Assert.True(address == address.WithPort(10));
        Assert.True(address != address.WithPort(11));
        Assert.True(address.SameAddress(address.WithPort(11)));
        Assert.NotEqual(address, TransportAddress.Parse("[fe80::1%4]:10"));
        Assert.NotEqual(new TransportAddress(IPAddress.Parse("::7f00:1"), 5), new TransportAddress(IPAddress.Loopback, 5));
        Assert.False(address.Equals("text"));
    }

    [Theory]
    [InlineData("192.0.2.1", 4)]
    [InlineData("2001:db8::1", 16)]
    public void Bytes_are_written_in_network_order(string text, int length)
    {
        IPAddress ip = IPAddress.Parse(text);
        var address = new TransportAddress(ip, 5);
        byte[] bytes = new byte[16];
        Assert.Equal(length, address.AddressLength);
        Assert.Equal(length, address.WriteAddress(bytes));
        Assert.Equal(ip.GetAddressBytes(), bytes[..length]);
        Assert.Equal(ip, address.ToIPAddress());
        Assert.Equal(new IPEndPoint(ip, 5), address.ToIPEndPoint());
        Assert.Equal(address, new TransportAddress(address.ToIPEndPoint()));
    }

    [Fact]
    public void Lengths_and_ports_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new TransportAddress(new byte[5], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TransportAddress(new byte[4], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TransportAddress(new byte[4], 65536));
        Assert.Throws<ArgumentOutOfRangeException>(() => default(TransportAddress).WithPort(65536));
    }

    [Fact]
    public void Comparing_and_hashing_allocate_nothing()
    {
        TransportAddress a = TransportAddress.Parse("192.0.2.1:1");
        TransportAddress b = TransportAddress.Parse("[2001:db8::1]:1");
        var set = new HashSet<TransportAddress> { a, b };
        Assert.Contains(a, set);
        int found = 0;
        long allocated = Allocations.Of(
            () =>
            {
                for (int i = 0; i < 1000; i++)
                {
                    found += set.Contains(a.WithPort(i)) ? 1 : 0;
                }
            },
            10);
        Assert.Equal(0, allocated);
        Assert.Equal(150, found);
    }
}
