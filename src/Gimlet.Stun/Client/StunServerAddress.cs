using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gimlet.Sockets;

namespace Gimlet.Stun.Client;

/// <summary>A STUN server as a person writes it: <c>stun.example.org</c>, <c>192.0.2.1:3479</c>, <c>[2001:db8::1]:3478</c>.</summary>
/// <param name="Host">A name, or an IP address without brackets.</param>
/// <param name="Port">The UDP port.</param>
public sealed record StunServerAddress(string Host, int Port)
{
    /// <summary>The port when none is written: RFC 8489 section 18.6, "stun 3478/udp".</summary>
    public const int DefaultPort = 3478;

    /// <summary>The longest name that DNS can carry, in characters (RFC 1035 section 2.3.4, without the root's dot).</summary>
    private const int MaxHostLength = 253;

    /// <summary>Makes the text form of a known address.</summary>
    /// <param name="address">The address.</param>
    public static StunServerAddress From(TransportAddress address) => new(address.ToIPAddress().ToString(), address.Port);

    /// <summary>
    /// Reads <c>host</c>, <c>host:port</c>, <c>[ipv6]</c>, <c>[ipv6]:port</c>, or one of these after <c>stun:</c> (RFC 7064).
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="server">The server, when the text names one.</param>
    /// <param name="error">What is wrong and what would be right, when it does not.</param>
    public static bool TryParse(
        string? text, [NotNullWhen(true)] out StunServerAddress? server, [NotNullWhen(false)] out string? error)
    {
        server = null;
        error = Parse(text?.Trim() ?? string.Empty, out string host, out int port);
        if (error is not null)
        {
            return false;
        }

        server = new StunServerAddress(host, port);
        return true;
    }

    /// <summary>Reads what <see cref="TryParse"/> reads.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text names no server; the message says why.</exception>
    public static StunServerAddress Parse(string text) =>
        TryParse(text, out StunServerAddress? server, out string? error) ? server : throw new FormatException(error);

    /// <summary>The address, when the host is an IP address and not a name.</summary>
    /// <param name="address">The address.</param>
    public bool TryGetAddress(out TransportAddress address)
    {
        bool literal = IPAddress.TryParse(Host, out IPAddress? ip)
            && (ip.AddressFamily == AddressFamily.InterNetworkV6 || IsDottedQuad(Host));
        address = literal ? new TransportAddress(ip!, Port) : default;
        return literal;
    }

    /// <summary>The text that <see cref="Parse(string)"/> reads, with its port.</summary>
    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    private static string? Parse(string text, out string host, out int port)
    {
        const string Scheme = "stun:";
        host = string.Empty;
        port = DefaultPort;
        string rest = text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? text[Scheme.Length..] : text;
        if (rest.Length == 0)
        {
            return "A STUN server is missing; write host or host:port, such as stun.example.org:3478.";
        }

        string? portText = null;
        if (rest[0] == '[')
        {
            int close = rest.IndexOf(']', StringComparison.Ordinal);
            if (close < 0)
            {
                return $"'{text}' opens a bracket that is not closed; write [2001:db8::1]:3478.";
            }

            host = rest[1..close];
            if (!IPAddress.TryParse(host, out IPAddress? ip) || ip.AddressFamily != AddressFamily.InterNetworkV6)
            {
                return $"'{host}' is not an IPv6 address; only those stand in brackets, as in [2001:db8::1]:3478.";
            }

            string after = rest[(close + 1)..];
            if (after.Length > 0 && after[0] != ':')
            {
                return $"'{after}' follows the bracket of '{text}'; write [2001:db8::1]:3478.";
            }

            portText = after.Length > 0 ? after[1..] : null;
        }
        else
        {
            int colon = rest.IndexOf(':', StringComparison.Ordinal);
            if (colon != rest.LastIndexOf(':'))
            {
                return $"'{text}' has several colons; an IPv6 address needs brackets, as in [2001:db8::1]:3478.";
            }

            host = colon < 0 ? rest : rest[..colon];
            portText = colon < 0 ? null : rest[(colon + 1)..];
            if (!IsHost(host))
            {
                return $"'{host}' is not a host name or an IPv4 address; write host:port, such as stun.example.org:3478.";
            }
        }

        if (portText is null)
        {
            return null;
        }

        return int.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue
            ? null
            : $"'{portText}' is not a port; it must be a number from 1 to 65535.";
    }

    private static bool IsHost(string host) =>
        host.Length is > 0 and <= MaxHostLength && Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4
        && (!char.IsAsciiDigit(host[^1]) || !host.All(static c => char.IsAsciiDigit(c) || c == '.') || IsDottedQuad(host));

    // IPAddress.TryParse takes "1" for 0.0.0.1; no person means that.
    private static bool IsDottedQuad(string host) => host.Count(static c => c == '.') == 3 && IPAddress.TryParse(host, out _);
}
