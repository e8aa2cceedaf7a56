namespace Gimlet.Quic.Protection;

/// <summary>Compares two implementations of packet protection, before the second one is trusted with a packet.</summary>
internal static class ProtectionSelfTest
{
    // Empty (Retry), shorter than a block, a block and its neighbours, a usual packet, and more than any datagram of the internet.
    private static readonly int[] Lengths = [0, 1, 15, 16, 17, 1200, 9000];

    /// <summary>Runs the comparison: below a millisecond.</summary>
    /// <param name="candidate">The implementation that is not trusted yet.</param>
    /// <param name="reference">The one that is.</param>
    /// <returns>What the candidate does differently; null when nothing.</returns>
    public static string? FindDifference(IProtectionProvider candidate, IProtectionProvider reference)
    {
        foreach (PacketCipher cipher in (PacketCipher[])[PacketCipher.Aes128GcmSha256, PacketCipher.Aes256GcmSha384])
        {
            byte[] key = Pattern(cipher.KeyLength(), 1);
            using IPacketProtector ours = candidate.CreatePacketProtector(cipher, key);
            using IPacketProtector theirs = reference.CreatePacketProtector(cipher, key);
            foreach (int length in Lengths)
            {
                if (FindDifference(ours, theirs, length) is { } difference)
                {
                    return $"{cipher}, {length} bytes: {difference}";
                }
            }

            using IHeaderProtector ourHeader = candidate.CreateHeaderProtector(cipher, key);
            using IHeaderProtector theirHeader = reference.CreateHeaderProtector(cipher, key);
            byte[] ourMask = new byte[IHeaderProtector.SampleLength], theirMask = new byte[IHeaderProtector.SampleLength];
            for (int i = 0; i < 3; i++)
            {
                ourHeader.Mask(Pattern(IHeaderProtector.SampleLength, i), ourMask);
                theirHeader.Mask(Pattern(IHeaderProtector.SampleLength, i), theirMask);
                if (!ourMask.AsSpan().SequenceEqual(theirMask))
                {
                    return $"{cipher}: header protection makes another mask";
                }
            }
        }

        return null;
    }

    private static string? FindDifference(IPacketProtector ours, IPacketProtector theirs, int length)
    {
        byte[] nonce = Pattern(PacketCiphers.NonceLength, length), header = Pattern(1 + (length % 40), 3), plain = Pattern(length, 4);
        byte[] ourPayload = [.. plain], theirPayload = [.. plain];
        byte[] ourTag = new byte[PacketCiphers.TagLength], theirTag = new byte[PacketCiphers.TagLength];
        ours.Seal(nonce, header, ourPayload, ourTag);
        theirs.Seal(nonce, header, theirPayload, theirTag);
        if (!ourPayload.AsSpan().SequenceEqual(theirPayload) || !ourTag.AsSpan().SequenceEqual(theirTag))
        {
            return "seals to other bytes";
        }

        if (!ours.Open(nonce, header, theirPayload, theirTag) || !theirPayload.AsSpan().SequenceEqual(plain))
        {
            return "does not open what the other sealed";
        }

        ourTag[^1] ^= 1;
        return ours.Open(nonce, header, ourPayload, ourTag) || ourPayload.AsSpan().ContainsAnyExcept((byte)0)
            ? "opens what was tampered with"
            : null;
    }

    private static byte[] Pattern(int length, int seed) => [.. Enumerable.Range(0, length).Select(i => (byte)((i * 7) + (seed * 31) + (i >> 8)))];
}
