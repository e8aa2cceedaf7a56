namespace Gimlet.Stun.Attributes;

/// <summary>GIMLET-OBSERVE (docs/protocol.md section 4): please prove, with GIMLET-PROOF, the address that you see.</summary>
public static class GimletObserveAttribute
{
    /// <summary>True when the message carries GIMLET-OBSERVE with its empty value.</summary>
    /// <param name="message">The message.</param>
    public static bool HasGimletObserve(this StunMessage message) =>
        message.TryGetValue(StunAttributeType.GimletObserve, out ReadOnlySpan<byte> value) && value.IsEmpty;

    /// <summary>Adds GIMLET-OBSERVE.</summary>
    /// <param name="builder">The message being built.</param>
    public static void AddGimletObserve(this ref StunMessageBuilder builder) => builder.Add(StunAttributeType.GimletObserve, []);
}
