using System.Net;
using System.Net.NetworkInformation;

namespace Gimlet.Server.Hosting.Http;

/// <summary>The addresses of this machine's interfaces, read again when one is asked for that was not there, at most once a second.</summary>
internal sealed class MachineAddresses(TimeProvider time)
{
    private static readonly TimeSpan MinAge = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private HashSet<IPAddress>? _addresses;
    private long _readAt;

    public bool Contains(IPAddress address)
    {
        IPAddress bare = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : WithoutScope(address);
        lock (_gate)
        {
            if (_addresses is not null && (_addresses.Contains(bare) || time.GetElapsedTime(_readAt) < MinAge))
            {
                return _addresses.Contains(bare);
            }

            _addresses = Read();
            _readAt = time.GetTimestamp();
            return _addresses.Contains(bare);
        }
    }

    private static HashSet<IPAddress> Read()
    {
        var addresses = new HashSet<IPAddress>();
        foreach (NetworkInterface network in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (UnicastIPAddressInformation unicast in network.GetIPProperties().UnicastAddresses)
            {
                _ = addresses.Add(WithoutScope(unicast.Address));
            }
        }

        return addresses;
    }

    private static IPAddress WithoutScope(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes()) : address;
}
