using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Gimlet.Sockets.Portable;

/// <summary>
/// The framework's <see cref="SocketAddress"/> without end points in between. The family's own bytes differ between
/// systems and are left to the framework; port, address and interface are at the same offsets everywhere.
/// </summary>
internal static class PortableAddress
{
    private const int PortOffset = 2;
    private const int AddressOffset = 4;
    private const int Address6Offset = 8;
    private const int ScopeOffset = 24;

    public static void Write(SocketAddress name, in TransportAddress address)
    {
        Span<byte> bytes = name.Buffer.Span;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[PortOffset..], (ushort)address.Port);
        if (address.IsIPv6)
        {
            address.WriteAddress(bytes[Address6Offset..]);
            _ = BitConverter.TryWriteBytes(bytes[ScopeOffset..], address.ScopeId);
        }
        else
        {
            address.WriteAddress(bytes[AddressOffset..]);
        }
    }

    public static TransportAddress Read(SocketAddress name)
    {
        ReadOnlySpan<byte> bytes = name.Buffer.Span;
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[PortOffset..]);
        return name.Family switch
        {
            AddressFamily.InterNetwork => new TransportAddress(bytes.Slice(AddressOffset, 4), port),
            AddressFamily.InterNetworkV6 => new TransportAddress(
                bytes.Slice(Address6Offset, 16), port, BitConverter.ToUInt32(bytes[ScopeOffset..])),
            _ => default,
        };
    }
}
