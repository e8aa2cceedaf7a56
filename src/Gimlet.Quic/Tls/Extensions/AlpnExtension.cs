using System.Net.Security;

namespace Gimlet.Quic.Tls.Extensions;

/// <summary>application_layer_protocol_negotiation (RFC 7301).</summary>
internal static class AlpnExtension
{
    public static void Write(TlsWriter writer, params ReadOnlySpan<SslApplicationProtocol> protocols)
    {
        int list = writer.Begin(2);
        foreach (SslApplicationProtocol protocol in protocols)
        {
            int name = writer.Begin(1);
            writer.WriteBytes(protocol.Protocol.Span);
            writer.End(name, 1);
        }

        writer.End(list, 2);
    }

    /// <summary>Checks the shape: at least one name, none of them empty.</summary>
    public static bool IsWellFormed(ReadOnlySpan<byte> body, out int count)
    {
        count = 0;
        var outer = new TlsReader(body);
        if (!outer.TryReadVector16(out ReadOnlySpan<byte> list) || !outer.IsEmpty || list.IsEmpty)
        {
            return false;
        }

        var reader = new TlsReader(list);
        while (!reader.IsEmpty)
        {
            // RFC 7301 section 3.1: "Empty strings MUST NOT be included and byte strings MUST NOT be truncated."
            if (!reader.TryReadVector8(out ReadOnlySpan<byte> name) || name.IsEmpty)
            {
                return false;
            }

            count++;
        }

        return true;
    }

    /// <summary>The first of ours that a well-formed list contains.</summary>
    public static bool TrySelect(
        ReadOnlySpan<byte> body, IReadOnlyList<SslApplicationProtocol> preferences, out SslApplicationProtocol selected)
    {
        foreach (SslApplicationProtocol protocol in preferences)
        {
            if (Contains(body, protocol))
            {
                selected = protocol;
                return true;
            }
        }

        selected = default;
        return false;
    }

    private static bool Contains(ReadOnlySpan<byte> body, SslApplicationProtocol protocol)
    {
        var outer = new TlsReader(body);
        outer.TryReadVector16(out ReadOnlySpan<byte> list);
        var reader = new TlsReader(list);
        while (reader.TryReadVector8(out ReadOnlySpan<byte> name))
        {
            if (name.SequenceEqual(protocol.Protocol.Span))
            {
                return true;
            }
        }

        return false;
    }
}
