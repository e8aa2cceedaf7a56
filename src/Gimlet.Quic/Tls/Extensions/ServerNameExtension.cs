using System.Buffers;
using System.Net;
using System.Text;

namespace Gimlet.Quic.Tls.Extensions;

/// <summary>server_name (RFC 6066 section 3).</summary>
internal static class ServerNameExtension
{
    private const byte HostNameType = 0;

    // A DNS name has at most 253 characters in text form (RFC 1035 section 2.3.4).
    private const int MaxNameLength = 253;

    private static readonly SearchValues<byte> HostNameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."u8);

    /// <summary>The form a host name has on the wire, or null when it is not sent (an IP address).</summary>
    /// <exception cref="ArgumentException">Not a host name in ASCII form.</exception>
    public static string? Normalize(string? host)
    {
        // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
        if (string.IsNullOrEmpty(host) || IPAddress.TryParse(host, out _))
        {
            return null;
        }

        // "The hostname is represented as a byte string using ASCII encoding without a trailing dot."
        string name = host.TrimEnd('.');
        return IsHostName(Encoding.UTF8.GetBytes(name))
            ? name
            : throw new ArgumentException($"'{host}' is not a host name in ASCII form.", nameof(host));
    }

    public static void Write(TlsWriter writer, string name)
    {
        int list = writer.Begin(2);
        writer.WriteByte(HostNameType);
        int host = writer.Begin(2);
        writer.WriteBytes(Encoding.ASCII.GetBytes(name));
        writer.End(host, 2);
        writer.End(list, 2);
    }

    /// <summary>Reads the name a client asks for; names of other types pass unread.</summary>
    public static TlsError? Parse(ReadOnlySpan<byte> body, out string? name)
    {
        name = null;
        var outer = new TlsReader(body);
        if (!outer.TryReadVector16(out ReadOnlySpan<byte> list) || !outer.IsEmpty || list.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("server_name is not a list");
        }

        var reader = new TlsReader(list);
        while (!reader.IsEmpty)
        {
            // "For backward compatibility, all future data structures associated with new NameTypes MUST begin with a 16-bit length
            // field."
            if (!reader.TryReadByte(out byte type) || !reader.TryReadVector16(out ReadOnlySpan<byte> host))
            {
                return TlsAlert.DecodeError.Because("a server name is cut short");
            }

            if (type != HostNameType)
            {
                continue;
            }

            // "The ServerNameList MUST NOT contain more than one name of the same name_type."
            if (name is not null || !IsHostName(host))
            {
                return TlsAlert.IllegalParameter.Because("two host names, or one that is no host name");
            }

            name = Encoding.ASCII.GetString(host);
        }

        return null;
    }

    private static bool IsHostName(ReadOnlySpan<byte> name) =>
        name.Length is > 0 and <= MaxNameLength && !name.ContainsAnyExcept(HostNameBytes);
}
