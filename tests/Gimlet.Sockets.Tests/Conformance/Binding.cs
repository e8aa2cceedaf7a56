using System.Net;
using System.Net.Sockets;

namespace Gimlet.Sockets.Tests.Conformance;

public abstract partial class DatagramSocketConformance
{
    [Fact]
    public void The_bound_address_has_its_real_port()
    {
        DatagramSocket socket = Bind();
        Assert.NotEqual(0, socket.LocalAddress.Port);
        Assert.Equal(_loopback, socket.LocalAddress.ToIPAddress());
        DatagramSocket any = Bind(Wildcard);
        Assert.True(any.LocalAddress.IsUnspecified);
        Assert.NotEqual(0, any.LocalAddress.Port);
    }

    [Fact]
    public void A_port_in_use_is_an_error_that_names_the_address()
    {
        DatagramSocket first = Bind();
        DatagramBindException e = Assert.Throws<DatagramBindException>(() => Bind(port: first.LocalAddress.Port));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        Assert.Equal(first.LocalAddress.ToIPEndPoint(), e.LocalEndPoint);
        Assert.Contains(first.LocalAddress.ToString(), e.Message, StringComparison.Ordinal);
        Assert.Contains("in use", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_of_another_machine_is_an_error_that_names_the_address()
    {
        // Documentation ranges (RFC 5737, RFC 3849), and not this machine's own addresses.
        IPAddress foreign = IPAddress.Parse(_loopback.AddressFamily == AddressFamily.InterNetwork ? "203.0.113.77" : "2001:db8:77::77");
        DatagramBindException e = Assert.Throws<DatagramBindException>(() => Bind(foreign));
        Assert.Equal(SocketError.AddressNotAvailable, e.SocketErrorCode);
        Assert.Contains(foreign.ToString(), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IPv4_and_IPv6_do_not_share_a_socket()
    {
        // Both wildcards on one port: possible only when the IPv6 socket leaves IPv4 alone.
        if (!HasIPv6Loopback())
        {
            Assert.Skip("This machine has no IPv6 loopback address.");
        }

        DatagramSocket six = Bind(IPAddress.IPv6Any);
        DatagramSocket four = Bind(IPAddress.Any, six.LocalAddress.Port);
        DatagramSocket client = Bind(IPAddress.Loopback);
        client.Send("four"u8, new TransportAddress(IPAddress.Loopback, four.LocalAddress.Port));
        Assert.True(Assert.Single(await ReceiveAsync(four)).Remote.IsIPv4);
        Assert.Equal(0, six.Receive(new DatagramReceiveBatch(1)));
    }

    [Fact]
    public void Buffers_are_what_the_system_gave()
    {
        DatagramSocket socket = Bind(Options() with { ReceiveBufferBytes = 65536, SendBufferBytes = 32768 });
        Assert.True(socket.ReceiveBufferBytes >= 65536);
        Assert.True(socket.SendBufferBytes >= 32768);
        Assert.Throws<ArgumentException>(() => Bind(Options() with { ReceiveBufferBytes = 0 }));
        Assert.Throws<ArgumentException>(() => Bind(Options() with { SendBufferBytes = -1 }));
        Assert.Throws<ArgumentNullException>(() => Bind(Options() with { LocalEndPoint = null! }));
    }

    [Fact]
    public void A_port_is_shared_only_by_those_who_both_ask_for_it()
    {
        DatagramSocket first = Bind(Options() with { ReuseAddress = true });
        int port = first.LocalAddress.Port;
        Assert.Throws<DatagramBindException>(() => Bind(port: port));
        Assert.Equal(port, Bind(Options(port: port) with { ReuseAddress = true }).LocalAddress.Port);
    }
}
