using Gimlet.Sockets;

namespace Gimlet.Quic.Wire;

/// <summary>The preferred_address parameter (RFC 9000 section 18.2): where a server would rather be reached.</summary>
/// <param name="IPv4">Empty where the server has none.</param>
/// <param name="IPv6">Empty where the server has none.</param>
/// <param name="ConnectionId">The id with sequence number 1; 1 to 20 bytes.</param>
/// <param name="ResetToken">Its stateless reset token.</param>
internal readonly record struct PreferredAddress(
    TransportAddress IPv4, TransportAddress IPv6, ConnectionId ConnectionId, StatelessResetToken ResetToken)
{
    private const int IPv4Length = 4;
    private const int IPv6Length = 16;

    /// <summary>The length of the value in bytes.</summary>
    public int Length =>
        IPv4Length + sizeof(ushort) + IPv6Length + sizeof(ushort) + 1 + ConnectionId.Length + StatelessResetToken.Length;

    /// <summary>Reads the value of the parameter.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out PreferredAddress address)
    {
        address = default;
        var reader = new WireReader(value);

        // RFC 9000 section 18.2: "a server MUST NOT include a zero-length connection ID in this transport parameter."
        if (!reader.TryReadBytes(IPv4Length, out ReadOnlySpan<byte> ipv4)
            || !reader.TryReadUInt16(out ushort port4)
            || !reader.TryReadBytes(IPv6Length, out ReadOnlySpan<byte> ipv6)
            || !reader.TryReadUInt16(out ushort port6)
            || !reader.TryReadByte(out byte idLength)
            || idLength is 0 or > ConnectionId.MaxLength
            || !reader.TryReadBytes(idLength, out ReadOnlySpan<byte> id)
            || !reader.TryReadBytes(StatelessResetToken.Length, out ReadOnlySpan<byte> token)
            || !reader.IsAtEnd)
        {
            return false;
        }

        address = new PreferredAddress(
            AddressOf(ipv4, port4), AddressOf(ipv6, port6), new ConnectionId(id), new StatelessResetToken(token));
        return true;
    }

    /// <summary>Writes the value of the parameter.</summary>
    public void Write(ref WireWriter writer)
    {
        WriteAddress(IPv4, writer.Reserve(IPv4Length), IPv4.IsIPv4 || IPv4.IsEmpty);
        writer.WriteUInt16((ushort)IPv4.Port);
        WriteAddress(IPv6, writer.Reserve(IPv6Length), IPv6.IsIPv6 || IPv6.IsEmpty);
        writer.WriteUInt16((ushort)IPv6.Port);
        ArgumentOutOfRangeException.ThrowIfZero(ConnectionId.Length);
        writer.WriteByte((byte)ConnectionId.Length);
        ConnectionId.CopyTo(writer.Reserve(ConnectionId.Length));
        ResetToken.CopyTo(writer.Reserve(StatelessResetToken.Length));
    }

    // RFC 9000 section 18.2: "Servers MAY choose to only send a preferred address of one address family by sending an all-zero address and
    // port (0.0.0.0:0 or [::]:0) for the other family." An IPv4 address that hides in IPv6 is not one of that family either.
    private static TransportAddress AddressOf(ReadOnlySpan<byte> bytes, ushort port)
    {
        var address = new TransportAddress(bytes, port);
        return address.IsUnspecified || address.AddressLength != bytes.Length ? default : address;
    }

    private static void WriteAddress(TransportAddress address, Span<byte> destination, bool isOfFamily)
    {
        if (!isOfFamily)
        {
            throw new InvalidOperationException("A preferred address holds one address of each family.");
        }

        destination.Clear();
        if (!address.IsEmpty)
        {
            _ = address.WriteAddress(destination);
        }
    }
}
