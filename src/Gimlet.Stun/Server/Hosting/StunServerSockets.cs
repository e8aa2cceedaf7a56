using System.Net;
using System.Net.Sockets;
using Gimlet.Sockets;

namespace Gimlet.Stun.Server.Hosting;

/// <summary>The sockets of a server: which are needed, and which of them an answer leaves from.</summary>
internal sealed class StunServerSockets : IDisposable
{
    // With port 0 the first family's free port may be taken in the second. Another port is as good; this many in a row
    // being taken means that something else is wrong.
    private const int MaxPortTries = 16;

    private readonly List<DatagramSocket> _primary = [];
    private readonly List<DatagramSocket> _alternate = [];

    private StunServerSockets()
    {
    }

    /// <summary>The sockets of the main port, those of one address together.</summary>
    public IReadOnlyList<DatagramSocket> Primary => _primary;

    /// <summary>The sockets of the second port.</summary>
    public IReadOnlyList<DatagramSocket> Alternate => _alternate;

    public IEnumerable<DatagramSocket> All => _primary.Concat(_alternate);

    /// <summary>Binds all sockets or none.</summary>
    /// <exception cref="DatagramBindException">An address cannot be bound.</exception>
    public static StunServerSockets Bind(StunServerOptions options)
    {
        bool anyPort = options.Listen[0].Port == 0 || options.Alternate.Any(e => e.Port == 0);
        for (int attempt = 1; ; attempt++)
        {
            var sockets = new StunServerSockets();
            try
            {
                sockets.BindAll(options);
                return sockets;
            }
            catch (DatagramBindException e) when (anyPort && attempt < MaxPortTries && e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                sockets.Dispose();
            }
            catch
            {
                sockets.Dispose();
                throw;
            }
        }
    }

    /// <summary>What the responder must know of these sockets.</summary>
    public StunServerEndpoints Describe(StunServerOptions options) => new()
    {
        Port = _primary[0].LocalAddress.Port,
        AlternatePort = _alternate.Count == 0 ? 0 : _alternate[0].LocalAddress.Port,
        IPv4 = PairOf(options, AddressFamily.InterNetwork),
        IPv6 = PairOf(options, AddressFamily.InterNetworkV6),
    };

    /// <summary>The socket that can send from an address and port; null when there is none.</summary>
    public DatagramSocket? Find(in TransportAddress source)
    {
        List<DatagramSocket> sockets = _primary[0].LocalAddress.Port == source.Port ? _primary : _alternate;
        foreach (DatagramSocket socket in sockets)
        {
            TransportAddress bound = socket.LocalAddress;
            if (bound.Port == source.Port && bound.IsIPv6 == source.IsIPv6 && (bound.IsUnspecified || bound.SameAddress(source)))
            {
                return socket;
            }
        }

        return null;
    }

    public void Dispose()
    {
        foreach (DatagramSocket socket in All)
        {
            socket.Dispose();
        }
    }

    private static bool HasSecondAddress(IPEndPoint primary, IPEndPoint? alternate) =>
        alternate is not null && !StunServerOptions.IsWildcard(alternate) && !alternate.Address.Equals(primary.Address);

    private static IPEndPoint? AlternateOf(StunServerOptions options, AddressFamily family) =>
        options.Alternate.FirstOrDefault(e => e.AddressFamily == family);

    private static StunAddressPair PairOf(StunServerOptions options, AddressFamily family)
    {
        IPEndPoint? primary = options.Listen.FirstOrDefault(e => e.AddressFamily == family);
        IPEndPoint? alternate = AlternateOf(options, family);
        return primary is null || !HasSecondAddress(primary, alternate)
            ? default
            : new StunAddressPair(new TransportAddress(primary.Address, 0), new TransportAddress(alternate!.Address, 0))
            {
                AdvertisedPrimary = Public(options, primary.Address),
                AdvertisedAlternate = Public(options, alternate.Address),
            };
    }

    private static TransportAddress Public(StunServerOptions options, IPAddress address) =>
        options.PublicAddresses.TryGetValue(address, out IPAddress? known) ? new TransportAddress(known, 0) : default;

    private void BindAll(StunServerOptions options)
    {
        int port = options.Listen[0].Port;
        int alternatePort = options.Alternate.Count == 0 ? 0 : options.Alternate[0].Port;
        foreach (IPEndPoint primary in options.Listen)
        {
            IPEndPoint? alternate = AlternateOf(options, primary.AddressFamily);
            IPAddress[] addresses = HasSecondAddress(primary, alternate) ? [primary.Address, alternate!.Address] : [primary.Address];
            foreach (IPAddress address in addresses)
            {
                for (int thread = 0; thread < options.ThreadsPerSocket; thread++)
                {
                    port = Bind(_primary, address, port, options, options.ThreadsPerSocket > 1);
                }

                // RFC 5780 section 2.2: every port on every address, or "change port" would depend on where one asks.
                if (options.Alternate.Count > 0)
                {
                    alternatePort = Bind(_alternate, address, alternatePort, options, shared: false);
                }
            }
        }
    }

    private static int Bind(List<DatagramSocket> sockets, IPAddress address, int port, StunServerOptions options, bool shared)
    {
        DatagramSocket socket = DatagramSocket.Bind(new DatagramSocketOptions
        {
            LocalEndPoint = new IPEndPoint(address, port),
            ReceiveBufferBytes = options.ReceiveBufferBytes,
            ReuseAddress = shared,
        });
        sockets.Add(socket);
        return socket.LocalAddress.Port;
    }
}
