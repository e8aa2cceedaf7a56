using System.Net;
using Gimlet.Server.Rendezvous;

namespace Gimlet.Server.Access;

/// <summary>The names of the configuration; without any, the machine's own addresses and localhost.</summary>
internal sealed class ServedNames : IServedNames
{
    private readonly Func<IPAddress, bool> _isLocal;
    private readonly List<(string Host, int? Port)> _names = [];

    /// <summary>Makes the set.</summary>
    /// <param name="names"><c>host</c> (any port) or <c>host:port</c>.</param>
    /// <param name="isLocal">Whether an address is one of this machine; asked only where no names are given.</param>
    /// <exception cref="ArgumentException">A name is not a host.</exception>
    public ServedNames(IEnumerable<string> names, Func<IPAddress, bool> isLocal)
    {
        _isLocal = isLocal;
        foreach (string name in names)
        {
            // A bare IPv6 address is what people type; only with a port does it need its brackets.
            string text = IPAddress.TryParse(name, out IPAddress? ip) && ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && name[0] != '['
                ? $"[{ip}]"
                : name;
            if (!AuthorityText.TrySplit(text, out string? host, out int? port))
            {
                throw new ArgumentException($"'{name}' is not a host name; write it as nodes dial it, such as gimlet.example.org or gimlet.example.org:8443.", nameof(names));
            }

            _names.Add((host, port));
        }
    }

    public string Remedy => _names.Count == 0
        ? "start it with its public name (--name), without one it answers for its own addresses and localhost only"
        : $"its names are {string.Join(", ", _names.Select(static n => n.Port is null ? n.Host : $"{n.Host}:{n.Port}"))}";

    public bool Serves(string authority)
    {
        if (!AuthorityText.TrySplit(authority, out string? host, out int? port))
        {
            return false;
        }

        if (_names.Count > 0)
        {
            foreach ((string name, int? only) in _names)
            {
                if (string.Equals(name, host, StringComparison.Ordinal) && (only is null || only == port))
                {
                    return true;
                }
            }

            return false;
        }

        return host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && (IPAddress.IsLoopback(address) || _isLocal(address)));
    }
}
