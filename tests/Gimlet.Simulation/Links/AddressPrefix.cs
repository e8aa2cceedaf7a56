using System.Buffers.Binary;
using System.Net;
using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>An IP prefix such as 192.168.1.0/24.</summary>
internal readonly struct AddressPrefix
{
    private readonly UInt128 _bits;
    private readonly UInt128 _mask;
    private readonly bool _isIPv4;

    public AddressPrefix(TransportAddress address, int length)
    {
        _isIPv4 = address.IsIPv4;
        Length = length;
        int width = _isIPv4 ? 32 : 128;
        UInt128 all = _isIPv4 ? uint.MaxValue : UInt128.MaxValue;
        _mask = length == 0 ? 0 : (all << (width - length)) & all;
        _bits = Bits(address) & _mask;
    }

    public int Length { get; }

    public bool IsIPv4 => _isIPv4;

    public static AddressPrefix Parse(string text)
    {
        IPNetwork network = IPNetwork.Parse(text);
        return new AddressPrefix(new TransportAddress(network.BaseAddress, 0), network.PrefixLength);
    }

    public bool Contains(TransportAddress address) => address.IsIPv4 == _isIPv4 && (Bits(address) & _mask) == _bits;

    /// <summary>The address with this number inside the prefix, port 0.</summary>
    public TransportAddress Address(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, _bits | number);
        return new TransportAddress(_isIPv4 ? bytes[12..] : bytes, 0);
    }

    private static UInt128 Bits(TransportAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        _ = address.WriteAddress(address.IsIPv4 ? bytes[12..] : bytes);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
