namespace Gimlet.Identity;

/// <summary>Lower-case base32 without padding (RFC 4648 section 6), the text form of peer ids and tickets.</summary>
internal static class Base32
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>How many characters <paramref name="byteCount"/> bytes become.</summary>
    public static int EncodedLength(int byteCount) => ((byteCount * 8) + 4) / 5;

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        Span<char> text = EncodedLength(bytes.Length) <= 256 ? stackalloc char[EncodedLength(bytes.Length)] : new char[EncodedLength(bytes.Length)];
        uint bits = 0;
        int count = 0;
        int at = 0;
        foreach (byte b in bytes)
        {
            bits = (bits << 8) | b;
            count += 8;
            while (count >= 5)
            {
                count -= 5;
                text[at++] = Alphabet[(int)(bits >> count) & 31];
            }
        }

        if (count > 0)
        {
            text[at++] = Alphabet[(int)(bits << (5 - count)) & 31];
        }

        return new string(text[..at]);
    }

    /// <summary>Decodes; upper case is accepted because people read ids aloud and mail programs capitalise.</summary>
    /// <param name="text">The text.</param>
    /// <param name="bytes">Receives the bytes; exactly as many as the text carries.</param>
    /// <param name="badIndex">The index of the first character outside the alphabet, or -1.</param>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> bytes, out int badIndex)
    {
        badIndex = -1;
        uint bits = 0;
        int count = 0;
        int at = 0;
        for (int i = 0; i < text.Length; i++)
        {
            int value = Value(text[i]);
            if (value < 0)
            {
                badIndex = i;
                return false;
            }

            bits = (bits << 5) | (uint)value;
            count += 5;
            if (count >= 8)
            {
                count -= 8;
                if (at == bytes.Length)
                {
                    return false;
                }

                bytes[at++] = (byte)(bits >> count);
            }
        }

        // The bits left over must be zero and fewer than a character carries, or two texts would mean the same bytes.
        return at == bytes.Length && count < 5 && (bits & ((1u << count) - 1)) == 0;
    }

    private static int Value(char c) => c switch
    {
        >= 'a' and <= 'z' => c - 'a',
        >= 'A' and <= 'Z' => c - 'A',
        >= '2' and <= '7' => c - '2' + 26,
        _ => -1,
    };
}
