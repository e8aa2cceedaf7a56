using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Gimlet.Sockets;

/// <summary>
/// An IP address and a port (RFC 8489 section 4, "transport address"), as a value: comparing, hashing and copying it
/// allocates nothing. An IPv4-mapped IPv6 address is normalised to IPv4 when it is made, so no filter ever sees one.
/// </summary>
public readonly struct TransportAddress : IEquatable<TransportAddress>
{
    private readonly ulong _high;
    private readonly ulong _low;
    private readonly uint _scopeId;
    private readonly ushort _port;
    private readonly byte _length;

    private TransportAddress(ulong high, ulong low, uint scopeId, ushort port, byte length)
    {
        _high = high;
        _low = low;
        _scopeId = scopeId;
        _port = port;
        _length = length;
    }

    /// <summary>Makes an address from its bytes in network order.</summary>
    /// <param name="address">4 bytes (IPv4) or 16 bytes (IPv6).</param>
    /// <param name="port">The port.</param>
    /// <param name="scopeId">The interface index of a link-local or multicast IPv6 address; ignored for others.</param>
    /// <exception cref="ArgumentException">The address is neither 4 nor 16 bytes long.</exception>
    public TransportAddress(ReadOnlySpan<byte> address, int port, uint scopeId = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        _port = (ushort)port;
        if (address.Length == 4)
        {
            _low = BinaryPrimitives.ReadUInt32BigEndian(address);
            _length = 4;
        }
        else if (address.Length == 16)
        {
            _high = BinaryPrimitives.ReadUInt64BigEndian(address);
            _low = BinaryPrimitives.ReadUInt64BigEndian(address[8..]);
            _length = 16;

            // ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2)
            if (_high == 0 && _low >> 32 == 0xffff)
            {
                _low &= 0xffff_ffff;
                _length = 4;
            }
            else if (IsLinkLocal || IsMulticast)
            {
                // RFC 4007 section 6: any other address means the same in every zone. Kept, 2001:db8::1%1 and 2001:db8::1%2 would be two addresses
                // to a filter, and one to the network.
                _scopeId = scopeId;
            }
        }
        else
        {
            throw new ArgumentException($"An IP address has 4 or 16 bytes, not {address.Length}.", nameof(address));
        }
    }

    /// <summary>Makes an address from the framework's types.</summary>
    /// <param name="address">An IPv4 or IPv6 address.</param>
    /// <param name="port">The port.</param>
    public TransportAddress(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        _ = address.TryWriteBytes(bytes, out int written);
        uint scope = address.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)address.ScopeId : 0;
        this = new TransportAddress(bytes[..written], port, scope);
    }

    /// <summary>Makes an address from the framework's end point.</summary>
    /// <param name="endPoint">The end point.</param>
    public TransportAddress(IPEndPoint endPoint)
        : this((endPoint ?? throw new ArgumentNullException(nameof(endPoint))).Address, endPoint.Port)
    {
    }

    /// <summary>True for <c>default</c>: no address at all.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>True for an IPv4 address.</summary>
    public bool IsIPv4 => _length == 4;

    /// <summary>True for an IPv6 address.</summary>
    public bool IsIPv6 => _length == 16;

    /// <summary>The port.</summary>
    public int Port => _port;

    /// <summary>The interface index of a link-local or multicast IPv6 address; 0 otherwise.</summary>
    public uint ScopeId => _scopeId;

    /// <summary>How many bytes <see cref="WriteAddress"/> writes: 4, 16, or 0 when empty.</summary>
    public int AddressLength => _length;

    /// <summary>The socket family of the address.</summary>
    public AddressFamily AddressFamily => _length switch
    {
        4 => AddressFamily.InterNetwork,
        16 => AddressFamily.InterNetworkV6,
        _ => AddressFamily.Unspecified,
    };

    /// <summary>True for 0.0.0.0 and ::.</summary>
    public bool IsUnspecified => _length != 0 && _high == 0 && _low == 0;

    /// <summary>True for 127.0.0.0/8 and ::1.</summary>
    public bool IsLoopback => IsIPv4 ? _low >> 24 == 127 : IsIPv6 && _high == 0 && _low == 1;

    /// <summary>True for 169.254.0.0/16 (RFC 3927) and fe80::/10 (RFC 4291).</summary>
    public bool IsLinkLocal => IsIPv4 ? _low >> 16 == 0xa9fe : IsIPv6 && _high >> 54 == 0xfe80 >> 6;

    /// <summary>True for 224.0.0.0/4 and ff00::/8.</summary>
    public bool IsMulticast => IsIPv4 ? _low >> 28 == 0xe : IsIPv6 && _high >> 56 == 0xff;

    /// <summary>True for 255.255.255.255.</summary>
    public bool IsBroadcast => IsIPv4 && _low == 0xffff_ffff;

    /// <summary>
    /// True for addresses that mean something only inside a site: RFC 1918, the carrier's shared space 100.64.0.0/10
    /// (RFC 6598) and IPv6 unique local fc00::/7 (RFC 4193).
    /// </summary>
    public bool IsPrivate => IsIPv4
        ? _low >> 24 == 10 || _low >> 20 == 0xac1 || _low >> 16 == 0xc0a8 || _low >> 22 == 0x6440 >> 6
        : IsIPv6 && _high >> 57 == 0xfc >> 1;

    /// <summary>The same address with another port.</summary>
    /// <param name="port">The port.</param>
    public TransportAddress WithPort(int port)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        return new TransportAddress(_high, _low, _scopeId, (ushort)port, _length);
    }

    /// <summary>True when the IP addresses are the same, whatever the ports.</summary>
    /// <param name="other">The other address.</param>
    public bool SameAddress(TransportAddress other) =>
        _length == other._length && _high == other._high && _low == other._low && _scopeId == other._scopeId;

    /// <summary>Writes the IP address in network order.</summary>
    /// <param name="destination">At least <see cref="AddressLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public int WriteAddress(Span<byte> destination)
    {
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
        }
        else if (IsIPv6)
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
            BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        }

        return _length;
    }

    /// <summary>The framework's form of the IP address.</summary>
    /// <exception cref="InvalidOperationException">The address is empty.</exception>
    public IPAddress ToIPAddress()
    {
        if (IsEmpty)
        {
            throw new InvalidOperationException("An empty transport address has no IP address.");
        }

        Span<byte> bytes = stackalloc byte[16];
        int length = WriteAddress(bytes);
        return IsIPv6 ? new IPAddress(bytes[..length], _scopeId) : new IPAddress(bytes[..length]);
    }

    /// <summary>The framework's form of the address and port.</summary>
    public IPEndPoint ToIPEndPoint() => new(ToIPAddress(), _port);

    /// <summary>Reads <c>192.0.2.1:443</c> or <c>[2001:db8::1]:443</c>. The port is required and not 0.</summary>
    /// <param name="text">The text.</param>
    /// <param name="address">The address, when the text is one.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, out TransportAddress address)
    {
        address = default;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0)
        {
            return false;
        }

        ReadOnlySpan<char> host = text.AsSpan(0, colon);
        bool bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        if (bracketed)
        {
            host = host[1..^1];
        }

        // "1:443" is a valid IPAddress text (0.0.0.1) that no person means: demand four parts, and brackets around IPv6.
        if (!IPAddress.TryParse(host, out IPAddress? ip)
            || bracketed != (ip.AddressFamily == AddressFamily.InterNetworkV6)
            || (!bracketed && host.Count('.') != 3))
        {
            return false;
        }

        address = new TransportAddress(ip, port);
        return true;
    }

    /// <summary>Reads what <see cref="TryParse"/> reads.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text is not an address and port.</exception>
    public static TransportAddress Parse(string text) => TryParse(text, out TransportAddress address)
        ? address
        : throw new FormatException($"'{text}' is not an address and port such as 192.0.2.1:443 or [2001:db8::1]:443.");

    /// <inheritdoc/>
    public bool Equals(TransportAddress other) => SameAddress(other) && _port == other._port;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is TransportAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_high, _low, _scopeId, _port);

    /// <summary>Compares address and port.</summary>
    public static bool operator ==(TransportAddress left, TransportAddress right) => left.Equals(right);

    /// <summary>Compares address and port.</summary>
    public static bool operator !=(TransportAddress left, TransportAddress right) => !left.Equals(right);

    /// <summary>The text that <see cref="TryParse"/> reads; empty for an empty address.</summary>
    public override string ToString() => IsEmpty ? string.Empty : ToIPEndPoint().ToString();
}
