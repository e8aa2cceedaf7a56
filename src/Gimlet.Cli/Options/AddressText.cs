using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gimlet.Cli.Options;

/// <summary>Addresses, ports and URLs as people write them.</summary>
internal static class AddressText
{
    /// <summary>Reads a port, 0 for any.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not a port.</exception>
    public static int ReadPort(string text) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) ? port : throw new FormatException("a port is a number from 0 to 65535");

    /// <summary>Reads a whole number from 1 on.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not one.</exception>
    public static int ReadCount(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0
            ? count
            : throw new FormatException("it must be a whole number from 1 on");

    /// <summary>Reads the URL of a server.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not one.</exception>
    public static Uri ReadServer(string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps) && url.Host.Length > 0)
        {
            return url;
        }

        string guess = text.Contains("://", StringComparison.Ordinal) ? string.Empty : $"; did you mean https://{text}?";
        throw new FormatException($"a server is a URL with http:// or https://, such as https://gimlet.example.org or http://192.0.2.1:8080{guess}");
    }

    /// <summary>Reads <c>IP[:PORT]</c>; without a port it is 0.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not an address.</exception>
    public static IPEndPoint ReadAddress(string text) =>
        TryRead(text, out IPAddress? address, out int port)
            ? new IPEndPoint(address!, Math.Max(port, 0))
            : throw new FormatException("it must be an address such as 203.0.113.7, 203.0.113.7:41002 or [2001:db8::1]:41002");

    /// <summary>Reads <c>IP:PORT</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not an address with a port.</exception>
    public static IPEndPoint ReadEndPoint(string text) =>
        TryRead(text, out IPAddress? address, out int port) && port > 0
            ? new IPEndPoint(address!, port)
            : throw new FormatException("it must be an address and a port, such as 203.0.113.7:41002 or [2001:db8::1]:41002");

    /// <summary>Reads where to listen: <c>ADDR:PORT</c>, <c>:PORT</c>, <c>*:PORT</c> or <c>PORT</c> for every address.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not an address to listen on.</exception>
    public static IPEndPoint ReadListen(string text)
    {
        string rest = text.StartsWith("*:", StringComparison.Ordinal) ? text[1..] : text;
        if (ushort.TryParse(rest.StartsWith(':') ? rest[1..] : rest, NumberStyles.None, CultureInfo.InvariantCulture, out ushort all))
        {
            return EveryAddress(all);
        }

        return TryRead(rest, out IPAddress? address, out int port) && port >= 0
            ? new IPEndPoint(address!, port)
            : throw new FormatException("it must be ADDR:PORT, such as 127.0.0.1:8080, [::]:8080, or only a port for every address");
    }

    /// <summary>Every address of this machine: both families where it has them.</summary>
    /// <param name="port">The port.</param>
    public static IPEndPoint EveryAddress(int port) => new(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port);

    /// <summary>Reads a network such as <c>10.0.0.0/8</c>, or one address.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static IPNetwork ReadNetwork(string text)
    {
        if (IPNetwork.TryParse(text, out IPNetwork network))
        {
            return network;
        }

        return TryRead(text, out IPAddress? address, out int port) && port < 0
            ? new IPNetwork(address!, address!.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
            : throw new FormatException("it must be a network such as 10.0.0.0/8, or one address");
    }

    // The port is -1 when there is none. "1" and "1.2" are valid texts for IPAddress that no person means.
    private static bool TryRead(string text, out IPAddress? address, out int port)
    {
        port = -1;
        string host = text.Trim();
        int colon = host.LastIndexOf(':');
        bool bare = IPAddress.TryParse(host, out address) && address.AddressFamily == AddressFamily.InterNetworkV6 && !host.StartsWith('[');
        if (!bare && colon > host.LastIndexOf(']'))
        {
            if (!ushort.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
            {
                return false;
            }

            port = number;
            host = host[..colon];
        }

        bool bracketed = host is ['[', .., ']'];
        return IPAddress.TryParse(bracketed ? host[1..^1] : host, out address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 ? bare || bracketed : !bracketed && host.Count(static c => c == '.') == 3);
    }
}
