using System.Buffers.Binary;

namespace Gimlet.Sockets.Linux;

/// <summary>struct sockaddr_in and struct sockaddr_in6, as the kernel reads and writes them.</summary>
internal static class SocketName
{
    /// <summary>Room for either family.</summary>
    public const int MaxLength = 32;

    /// <summary>Writes an address.</summary>
    /// <returns>The length of the name.</returns>
    public static uint Write(Span<byte> name, in TransportAddress address)
    {
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], (ushort)address.Port);
        if (address.IsIPv6)
        {
            name[..Constants.Inet6NameLength][4..8].Clear(); // sin6_flowinfo
            BinaryPrimitives.WriteUInt16LittleEndian(name, Constants.FamilyInet6);
            address.WriteAddress(name[8..]);
            BinaryPrimitives.WriteUInt32LittleEndian(name[24..], address.ScopeId);
            return Constants.Inet6NameLength;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(name, Constants.FamilyInet);
        address.WriteAddress(name[4..]);
        name[8..Constants.InetNameLength].Clear(); // sin_zero
        return Constants.InetNameLength;
    }

    /// <summary>Reads an address; empty when the name is of neither family.</summary>
    public static TransportAddress Read(ReadOnlySpan<byte> name)
    {
        if (name.Length < Constants.InetNameLength)
        {
            return default;
        }

        ushort family = BinaryPrimitives.ReadUInt16LittleEndian(name);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
        if (family == Constants.FamilyInet)
        {
            return new TransportAddress(name.Slice(4, 4), port);
        }

        return family == Constants.FamilyInet6 && name.Length >= Constants.Inet6NameLength
            ? new TransportAddress(name.Slice(8, 16), port, BinaryPrimitives.ReadUInt32LittleEndian(name[24..]))
            : default;
    }
}
