using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Gimlet.Identity;

namespace Gimlet.Server.Access;

/// <summary>Host and port as HTTP writes them (RFC 9110 section 4.2): <c>host</c>, <c>host:port</c>, <c>[v6]</c>, <c>[v6]:port</c>.</summary>
internal static class AuthorityText
{
    // A host name has at most 253 characters (RFC 1035 section 2.3.4), an IPv6 literal fewer.
    private const int MaxHostLength = 255;

    /// <summary>Splits a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="host">Lower case, without brackets.</param>
    /// <param name="port">The port, or null where the text has none.</param>
    public static bool TrySplit([NotNullWhen(true)] string? text, [NotNullWhen(true)] out string? host, out int? port)
    {
        host = null;
        port = null;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        string rest;
        if (text[0] == '[')
        {
            int end = text.IndexOf(']', StringComparison.Ordinal);
            if (end < 2)
            {
                return false;
            }

            host = text[1..end];
            rest = text[(end + 1)..];
        }
        else
        {
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            host = colon < 0 ? text : text[..colon];
            rest = colon < 0 ? "" : text[colon..];
        }

        host = host.ToLowerInvariant();
        if (host.Length is 0 or > MaxHostLength || !host.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or ':' or '%'))
        {
            host = null;
            return false;
        }

        if (rest.Length == 0)
        {
            return true;
        }

        if (rest[0] != ':' || !ushort.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort value) || value == 0)
        {
            host = null;
            return false;
        }

        port = value;
        return true;
    }

    /// <summary>The host that a request names, in the form a registration signs; null when the header is not a host.</summary>
    /// <param name="header">The Host header as received.</param>
    /// <param name="scheme"><c>http</c> or <c>https</c>, for the port that is not written (RFC 9110 sections 4.2.1 and 4.2.2).</param>
    public static string? Normalise(string? header, string scheme) => TrySplit(header, out string? host, out int? port)
        ? Statement.Authority(host, port ?? (string.Equals(scheme, "https", StringComparison.OrdinalIgnoreCase) ? 443 : 80))
        : null;
}
