using System.Buffers.Binary;

namespace Gimlet.Stun;

/// <summary>
/// CRC-32 as FINGERPRINT wants it: the polynomial of ITU V.42 and ISO-HDLC (RFC 8489 section 14.7), four bytes at a time.
/// The x86 instruction computes another polynomial, so this is a table.
/// </summary>
internal static class Crc32
{
    private const uint ReflectedPolynomial = 0xEDB88320;
    private const int TableLength = 256;

    private static readonly uint[] Tables = MakeTables();

    public static uint Compute(ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<uint> t = Tables;
        uint crc = uint.MaxValue;
        while (data.Length >= sizeof(uint))
        {
            crc ^= BinaryPrimitives.ReadUInt32LittleEndian(data);
            crc = t[(3 * TableLength) + (int)(crc & 0xFF)]
                ^ t[(2 * TableLength) + (int)((crc >> 8) & 0xFF)]
                ^ t[TableLength + (int)((crc >> 16) & 0xFF)]
                ^ t[(int)(crc >> 24)];
            data = data[sizeof(uint)..];
        }

        foreach (byte b in data)
        {
            crc = t[(int)((crc ^ b) & 0xFF)] ^ (crc >> 8);
        }

        return ~crc;
    }

    // Table k holds the CRC of a byte followed by k zero bytes.
    private static uint[] MakeTables()
    {
        var tables = new uint[4 * TableLength];
        for (uint i = 0; i < TableLength; i++)
        {
            uint crc = i;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ ReflectedPolynomial : crc >> 1;
            }

            tables[i] = crc;
        }

        for (int i = TableLength; i < tables.Length; i++)
        {
            uint previous = tables[i - TableLength];
            tables[i] = (previous >> 8) ^ tables[previous & 0xFF];
        }

        return tables;
    }
}
