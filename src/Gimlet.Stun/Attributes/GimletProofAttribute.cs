namespace Gimlet.Stun.Attributes;

/// <summary>
/// GIMLET-PROOF (docs/protocol.md section 4): a server's statement, which only the server can check, that it saw this client
/// behind this address at this time. Opaque to everyone else.
/// </summary>
public static class GimletProofAttribute
{
    /// <summary>The length of the value in bytes.</summary>
    public const int ValueLength = 20;

    /// <summary>Reads GIMLET-PROOF.</summary>
    /// <param name="message">The message.</param>
    /// <param name="proof">The 20 bytes, when the attribute is there and has that length.</param>
    public static bool TryGetGimletProof(this StunMessage message, out ReadOnlySpan<byte> proof) =>
        message.TryGetValue(StunAttributeType.GimletProof, out proof) && proof.Length == ValueLength;

    /// <summary>Adds GIMLET-PROOF.</summary>
    /// <param name="builder">The message being built.</param>
    /// <param name="proof">20 bytes.</param>
    public static void AddGimletProof(this ref StunMessageBuilder builder, scoped ReadOnlySpan<byte> proof)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(proof.Length, ValueLength, nameof(proof));
        builder.Add(StunAttributeType.GimletProof, proof);
    }
}
