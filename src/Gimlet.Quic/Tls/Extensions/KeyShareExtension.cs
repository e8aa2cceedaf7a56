using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls.Extensions;

/// <summary>key_share (RFC 8446 section 4.2.8) in its three shapes.</summary>
internal static class KeyShareExtension
{
    public static void WriteClientShares(TlsWriter writer, IReadOnlyList<EphemeralKey> keys)
    {
        int list = writer.Begin(2);
        foreach (EphemeralKey key in keys)
        {
            WriteServerShare(writer, key);
        }

        writer.End(list, 2);
    }

    public static void WriteServerShare(TlsWriter writer, EphemeralKey key)
    {
        writer.WriteUInt16((ushort)key.Group);
        int point = writer.Begin(2);
        writer.WriteBytes(key.Point);
        writer.End(point, 2);
    }

    /// <summary>Checks a client's shares against its groups.</summary>
    /// <param name="body">The extension's body.</param>
    /// <param name="groups">The client's supported_groups.</param>
    /// <param name="limits">Bounds the number of shares.</param>
    /// <param name="count">How many shares there are.</param>
    public static TlsError? CheckClientShares(ReadOnlySpan<byte> body, UInt16List groups, TlsLimits limits, out int count)
    {
        count = 0;
        var outer = new TlsReader(body);
        if (!outer.TryReadVector16(out ReadOnlySpan<byte> shares) || !outer.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("key_share is not a list");
        }

        // As many shares as extensions: no client sends more than three, and every duplicate check is quadratic.
        Span<ushort> seen = stackalloc ushort[limits.MaxExtensions];
        var reader = new TlsReader(shares);
        while (!reader.IsEmpty)
        {
            // opaque key_exchange<1..2^16-1>
            if (!reader.TryReadEntry(out ushort group, out ReadOnlySpan<byte> point) || point.IsEmpty)
            {
                return TlsAlert.DecodeError.Because("a key share is cut short");
            }

            if (count == seen.Length)
            {
                return TlsAlert.DecodeError.Because($"more than {seen.Length} key shares");
            }

            // RFC 8446 section 4.2.8: "Clients MUST NOT offer multiple KeyShareEntry values for the same group. Clients MUST NOT offer
            // any KeyShareEntry values for groups not listed in the client's "supported_groups" extension. Servers MAY check for
            // violations of these rules and abort the handshake with an "illegal_parameter" alert if one is violated."
            if (seen[..count].Contains(group) || !groups.Contains(group))
            {
                return TlsAlert.IllegalParameter.Because("a key share twice, or of a group that the client does not list");
            }

            seen[count++] = group;
        }

        return null;
    }

    /// <summary>Finds the share of a group in a list that <see cref="CheckClientShares"/> found good.</summary>
    public static bool TryFindClientShare(ReadOnlySpan<byte> body, NamedGroup group, out ReadOnlySpan<byte> point)
    {
        var outer = new TlsReader(body);
        outer.TryReadVector16(out ReadOnlySpan<byte> shares);
        var reader = new TlsReader(shares);
        while (reader.TryReadEntry(out ushort candidate, out point))
        {
            if (candidate == (ushort)group)
            {
                return true;
            }
        }

        point = default;
        return false;
    }

    public static bool TryParseServerShare(ReadOnlySpan<byte> body, out NamedGroup group, out ReadOnlySpan<byte> point)
    {
        var reader = new TlsReader(body);
        bool read = reader.TryReadEntry(out ushort value, out point) && reader.IsEmpty && !point.IsEmpty;
        group = (NamedGroup)value;
        return read;
    }

    /// <summary>The form of a HelloRetryRequest: a group alone.</summary>
    public static bool TryParseSelectedGroup(ReadOnlySpan<byte> body, out NamedGroup group)
    {
        var reader = new TlsReader(body);
        bool read = reader.TryReadUInt16(out ushort value) && reader.IsEmpty;
        group = (NamedGroup)value;
        return read;
    }
}
