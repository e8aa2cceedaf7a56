using System.Buffers.Binary;
using System.Diagnostics;

namespace Gimlet.Quic.Interop.Wire;

/// <summary>
/// Writes what a forwarder carries into a file as tcpdump does (the classic pcap format), with headers of IPv4 and UDP made up around it: no right to
/// capture is needed, and nothing else is in the file.
/// </summary>
internal sealed class PcapCapture : IWireRule, IDisposable
{
    /// <summary>The server's port in the file.</summary>
    public const int ServerPort = 4433;

    private const int ClientPort = 50000;
    private const int IpLength = 20;
    private const int UdpLength = 8;

    // RFC 5737: addresses for documentation.
    private static readonly byte[] Client = [192, 0, 2, 1];
    private static readonly byte[] Server = [192, 0, 2, 2];

    private readonly FileStream _file;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly byte[] _record = new byte[16 + IpLength + UdpLength];

    public PcapCapture(string path)
    {
        _file = File.Create(path);
        Span<byte> header = stackalloc byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xa1b2c3d4);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], 1 << 18);

        // LINKTYPE_RAW: the packet begins with the header of IP.
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], 101);
        _file.Write(header);
    }

    /// <summary>So many datagrams are in the file.</summary>
    public int Count { get; private set; }

    public bool Passes(WireDirection direction, Span<byte> datagram)
    {
        bool toServer = direction == WireDirection.ToServer;
        Span<byte> record = _record;
        record.Clear();
        TimeSpan time = Stopwatch.GetElapsedTime(_start);
        int length = IpLength + UdpLength + datagram.Length;
        BinaryPrimitives.WriteInt32LittleEndian(record, (int)time.TotalSeconds);
        BinaryPrimitives.WriteInt32LittleEndian(record[4..], (time.Milliseconds * 1000) + time.Microseconds);
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], length);
        BinaryPrimitives.WriteInt32LittleEndian(record[12..], length);
        Span<byte> ip = record[16..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)length);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)Count);
        ip[8] = 64;
        ip[9] = 17;
        (toServer ? Client : Server).CopyTo(ip[12..]);
        (toServer ? Server : Client).CopyTo(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip[..IpLength]));

        // A checksum of 0 is none (RFC 768).
        Span<byte> udp = ip[IpLength..];
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)(toServer ? ClientPort : ServerPort));
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], (ushort)(toServer ? ServerPort : ClientPort));
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(UdpLength + datagram.Length));
        _file.Write(record);
        _file.Write(datagram);
        Count++;
        return true;
    }

    public void Dispose() => _file.Dispose();

    // RFC 1071.
    private static ushort Checksum(ReadOnlySpan<byte> header)
    {
        uint sum = 0;
        for (int i = 0; i < header.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(header[i..]);
        }

        return (ushort)~((sum & 0xffff) + (sum >> 16));
    }
}
