using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Calls;

/// <summary>What a check carries beyond proving the path.</summary>
internal enum CheckPurpose
{
    /// <summary>A check, or a keep-alive of the controlled side.</summary>
    Check,

    /// <summary>A check of the controlling side that also nominates the pair (USE-CANDIDATE).</summary>
    Nominate,

    /// <summary>The application's round trip.</summary>
    Ping,

    /// <summary>The sender ends the call.</summary>
    Close,
}

/// <summary>A check in the making.</summary>
/// <param name="Purpose">What it carries.</param>
/// <param name="Value">The nomination's number, the ping's sequence number or the reason of the close.</param>
/// <param name="Controlling">The sender's role.</param>
/// <param name="TieBreaker">The first 8 bytes of the sender's id.</param>
/// <param name="Priority">The priority that a peer-reflexive candidate learned from this check would have.</param>
internal readonly record struct CheckContent(CheckPurpose Purpose, uint Value, bool Controlling, ulong TieBreaker, uint Priority);

/// <summary>The bytes of checks and their answers (docs/protocol.md section 4).</summary>
internal static class CheckMessages
{
    /// <summary>32 hex digits, a colon and the side.</summary>
    public const int UsernameLength = (2 * CallId.Size) + 2;

    public static byte[] Username(CallId call, bool isCaller)
    {
        byte[] username = new byte[UsernameLength];
        _ = System.Text.Encoding.ASCII.GetBytes(call.ToString(), username);
        username[^2] = (byte)':';
        username[^1] = isCaller ? (byte)'a' : (byte)'b';
        return username;
    }

    /// <summary>Reads the call and the sender's side from a request; false when it is not a check of ours.</summary>
    public static bool TryReadUsername(scoped in StunMessage request, out CallId call, out bool fromCaller)
    {
        call = default;
        fromCaller = false;
        if (!request.TryGetUsername(out ReadOnlySpan<byte> username) || username.Length != UsernameLength || username[^2] != ':' || username[^1] is not ((byte)'a' or (byte)'b'))
        {
            return false;
        }

        fromCaller = username[^1] == 'a';
        return CallId.TryParse(username[..^2], out call);
    }

    public static int WriteRequest(Span<byte> buffer, in StunTransactionId id, ReadOnlySpan<byte> username, ReadOnlySpan<byte> key, in CheckContent content)
    {
        var builder = new StunMessageBuilder(buffer, StunClass.Request, StunMethod.Binding, id);
        builder.AddUsername(username);
        builder.AddPriority(content.Priority);
        if (content.Controlling)
        {
            builder.AddIceControlling(content.TieBreaker);
        }
        else
        {
            builder.AddIceControlled(content.TieBreaker);
        }

        switch (content.Purpose)
        {
            case CheckPurpose.Nominate:
                builder.AddUseCandidate();
                builder.AddGimletNomination(content.Value);
                break;
            case CheckPurpose.Ping:
                builder.AddGimletPing(content.Value);
                break;
            case CheckPurpose.Close:
                builder.AddGimletClose(content.Value);
                break;
            case CheckPurpose.Check:
            default:
                break;
        }

        builder.AddMessageIntegritySha256(key);
        builder.AddFingerprint();
        return builder.Length;
    }

    public static int WriteAnswer(Span<byte> buffer, scoped in StunMessage request, TransportAddress mapped, ReadOnlySpan<byte> key)
    {
        var builder = StunMessageBuilder.ResponseTo(buffer, StunClass.Success, request);
        builder.AddXorMappedAddress(mapped);
        builder.AddMessageIntegritySha256(key);
        builder.AddFingerprint();
        return builder.Length;
    }
}
