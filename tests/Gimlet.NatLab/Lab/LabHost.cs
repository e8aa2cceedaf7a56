using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Gimlet.NatLab.Wire;

namespace Gimlet.NatLab.Lab;

/// <summary>A machine of the lab: a namespace with one interface, <c>eth0</c>.</summary>
/// <param name="Namespace">Its name for <c>ip netns</c>.</param>
/// <param name="Address">Its own IPv4 address, private behind a NAT; null where it has none.</param>
/// <param name="Address6">Its global IPv6 address, or null.</param>
internal sealed record LabHost(string Namespace, IPAddress? Address, IPAddress? Address6)
{
    /// <summary>A UDP socket of this process that lives on the host's network: probing needs no process over there.</summary>
    internal Socket OpenUdp(IPAddress? address = null, int port = 0) => NetworkNamespace.Run(Namespace, () =>
    {
        var local = new IPEndPoint(address ?? (Address is null ? IPAddress.IPv6Any : IPAddress.Any), port);
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(local);
        return socket;
    });

    /// <summary>How to start a program on this host. <c>ip netns exec</c> becomes the program: the process id is the program's.</summary>
    internal ProcessStartInfo Command(string file, IEnumerable<string> arguments)
        // A run of the tests that was started in the background ignores SIGINT, and processes inherit that: env gives the default back.
        => new("ip", ["netns", "exec", Namespace, "env", "--default-signal=INT", file, .. arguments]);
}
