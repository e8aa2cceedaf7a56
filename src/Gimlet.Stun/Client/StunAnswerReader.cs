using System.Text;
using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Client;

/// <summary>Reads what a response to a Binding request says.</summary>
internal static class StunAnswerReader
{
    /// <summary>Says what is wrong with a response; <see langword="null"/> when it is a valid answer or refusal.</summary>
    public static string? FindFault(StunMessage response)
    {
        if (response.Method != StunMethod.Binding)
        {
            return $"the answer has method 0x{(int)response.Method:x3} instead of Binding";
        }

        if (response.Contains(StunAttributeType.Fingerprint) && !response.VerifyFingerprint())
        {
            return "the FINGERPRINT of the answer is wrong";
        }

        if (response.Class == StunClass.Error)
        {
            return response.TryGetErrorCode(out _, out _) ? null : "the error has no valid ERROR-CODE";
        }

        // RFC 8489 section 6.3.3: "If the success response contains unknown comprehension-required attributes, the response is discarded".
        foreach (StunAttribute attribute in response)
        {
            if (attribute.Type.IsComprehensionRequired() && !Enum.IsDefined(attribute.Type))
            {
                return $"the answer needs attribute 0x{(int)attribute.Type:x4} to be understood";
            }
        }

        if (!TryGetMapped(response, out TransportAddress mapped))
        {
            return "the answer has no XOR-MAPPED-ADDRESS";
        }

        // What nobody can have as a source address is a broken server or a rewriting NAT.
        return mapped.Port == 0 || mapped.IsUnspecified || mapped.IsMulticast || mapped.IsBroadcast
            ? $"the answer names {mapped}, which cannot be anyone's address"
            : null;
    }

    // RFC 8489 section 14.1: MAPPED-ADDRESS is what servers from before XOR-MAPPED-ADDRESS send.
    public static bool TryGetMapped(StunMessage response, out TransportAddress mapped) =>
        response.TryGetXorMappedAddress(out mapped) || response.TryGetMappedAddress(out mapped);

    public static TransportAddress OtherAddress(StunMessage response) =>
        response.TryGetOtherAddress(out TransportAddress address) || response.TryGetChangedAddress(out address) ? address : default;

    public static TransportAddress Origin(StunMessage response) =>
        response.TryGetResponseOrigin(out TransportAddress address) || response.TryGetSourceAddress(out address) ? address : default;

    public static byte[] Proof(StunMessage response) =>
        response.TryGetGimletProof(out ReadOnlySpan<byte> proof) ? proof.ToArray() : [];

    /// <summary>A refusal as a sentence. The reason is a stranger's text: cut, and free of control characters.</summary>
    public static string DescribeRefusal(StunErrorCode code, ReadOnlySpan<byte> reasonUtf8, TransportAddress alternate)
    {
        const int MaxReason = 128;
        var text = new StringBuilder($"refused with error {(int)code}");
        if (!reasonUtf8.IsEmpty)
        {
            string reason = Encoding.UTF8.GetString(reasonUtf8[..Math.Min(reasonUtf8.Length, MaxReason)]);
            _ = text.Append(" (").Append(string.Concat(reason.Where(static c => !char.IsControl(c)))).Append(')');
        }

        return alternate.IsEmpty ? text.ToString() : text.Append(", points to ").Append(alternate.ToString()).ToString();
    }
}
