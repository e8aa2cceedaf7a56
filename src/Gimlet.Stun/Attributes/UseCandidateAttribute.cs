namespace Gimlet.Stun.Attributes;

/// <summary>USE-CANDIDATE (RFC 8445 section 7.1.2): the controlling agent nominates the pair that this check proves.</summary>
public static class UseCandidateAttribute
{
    /// <summary>True when the message carries USE-CANDIDATE with its empty value.</summary>
    /// <param name="message">The message.</param>
    public static bool HasUseCandidate(this StunMessage message) =>
        message.TryGetValue(StunAttributeType.UseCandidate, out ReadOnlySpan<byte> value) && value.IsEmpty;

    /// <summary>Adds USE-CANDIDATE.</summary>
    /// <param name="builder">The message being built.</param>
    public static void AddUseCandidate(this ref StunMessageBuilder builder) => builder.Add(StunAttributeType.UseCandidate, []);
}
