namespace Gimlet.Stun.Attributes;

/// <summary>
/// GIMLET-HELLO (docs/protocol.md section 4): identity and signed pre-key, with which two nodes begin without a server. This is
/// its shape only; nothing is verified here.
/// </summary>
public readonly ref struct GimletHello
{
    /// <summary>The length of the public key (DER SubjectPublicKeyInfo of a P-256 key) in bytes.</summary>
    public const int PublicKeyLength = 91;

    /// <summary>The length of the pre-key (uncompressed P-256 point) in bytes.</summary>
    public const int PreKeyLength = 65;

    /// <summary>The length of the signature (IEEE P1363) in bytes.</summary>
    public const int SignatureLength = 64;

    /// <summary>The length of the whole value in bytes.</summary>
    public const int ValueLength = PublicKeyLength + PreKeyLength + SignatureLength;

    internal GimletHello(ReadOnlySpan<byte> value)
    {
        PublicKey = value[..PublicKeyLength];
        PreKey = value.Slice(PublicKeyLength, PreKeyLength);
        Signature = value.Slice(PublicKeyLength + PreKeyLength, SignatureLength);
    }

    /// <summary>The sender's identity.</summary>
    public ReadOnlySpan<byte> PublicKey { get; }

    /// <summary>The sender's pre-key.</summary>
    public ReadOnlySpan<byte> PreKey { get; }

    /// <summary>The identity's signature over the pre-key.</summary>
    public ReadOnlySpan<byte> Signature { get; }
}

/// <summary>Reads and writes <see cref="GimletHello"/>.</summary>
public static class GimletHelloAttribute
{
    /// <summary>Reads GIMLET-HELLO.</summary>
    /// <param name="message">The message.</param>
    /// <param name="hello">The parts, when the attribute is there and 220 bytes long.</param>
    public static bool TryGetGimletHello(this StunMessage message, out GimletHello hello)
    {
        bool valid = message.TryGetValue(StunAttributeType.GimletHello, out ReadOnlySpan<byte> value)
            && value.Length == GimletHello.ValueLength;
        hello = valid ? new GimletHello(value) : default;
        return valid;
    }

    /// <summary>Adds GIMLET-HELLO.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="publicKey">91 bytes.</param>
    /// <param name="preKey">65 bytes.</param>
    /// <param name="signature">64 bytes.</param>
    public static void AddGimletHello(
        this ref StunMessageBuilder builder,
        scoped ReadOnlySpan<byte> publicKey,
        scoped ReadOnlySpan<byte> preKey,
        scoped ReadOnlySpan<byte> signature)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(publicKey.Length, GimletHello.PublicKeyLength, nameof(publicKey));
        ArgumentOutOfRangeException.ThrowIfNotEqual(preKey.Length, GimletHello.PreKeyLength, nameof(preKey));
        ArgumentOutOfRangeException.ThrowIfNotEqual(signature.Length, GimletHello.SignatureLength, nameof(signature));
        if (builder.TryReserve(StunAttributeType.GimletHello, GimletHello.ValueLength, out Span<byte> value))
        {
            publicKey.CopyTo(value);
            preKey.CopyTo(value[GimletHello.PublicKeyLength..]);
            signature.CopyTo(value[(GimletHello.PublicKeyLength + GimletHello.PreKeyLength)..]);
        }
    }
}
