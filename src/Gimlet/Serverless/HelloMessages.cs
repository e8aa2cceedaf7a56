using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Serverless;

/// <summary>The first messages of two nodes without a server (docs/protocol.md section 4, "Serverless").</summary>
internal static class HelloMessages
{
    /// <summary>A hello, as request or as the answer to one.</summary>
    /// <param name="buffer">At least 300 bytes.</param>
    /// <param name="class">Request or success.</param>
    /// <param name="id">The transaction.</param>
    /// <param name="own">What this node says of itself.</param>
    /// <param name="mapped">In an answer: where the request came from; empty otherwise.</param>
    public static int Write(Span<byte> buffer, StunClass @class, in StunTransactionId id, OwnHello own, TransportAddress mapped)
    {
        var builder = new StunMessageBuilder(buffer, @class, StunMethod.Binding, id);
        builder.AddGimletHello(own.PublicKey, own.Prekey, own.Signature);
        if (own.IsInitiator)
        {
            builder.AddIceControlling(0);
        }

        if (!mapped.IsEmpty)
        {
            builder.AddXorMappedAddress(mapped);
        }

        builder.AddFingerprint();
        return builder.Length;
    }

    /// <summary>Reads a hello and verifies its signature; false when it is none or it does not verify.</summary>
    public static bool TryRead(scoped in StunMessage message, out PeerHello hello)
    {
        hello = default;
        if (!message.TryGetGimletHello(out GimletHello wire)
            || !message.VerifyFingerprint()
            || !P256.Verify(wire.PublicKey, Statement.Hello(wire.PreKey), wire.Signature))
        {
            return false;
        }

        hello = new PeerHello(PeerId.FromPublicKey(wire.PublicKey), wire.PreKey.ToArray(), message.TryGetIceControlling(out _));
        return true;
    }

    /// <summary>The id of the call between two nodes that know each other's pre-keys.</summary>
    public static CallId CallIdOf(ReadOnlySpan<byte> smallerIdsPrekey, ReadOnlySpan<byte> largerIdsPrekey)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _ = SHA256.HashData([.. "gimlet.v1 serverless\0"u8, .. smallerIdsPrekey, .. largerIdsPrekey], hash);
        return new CallId(hash[..CallId.Size]);
    }

    /// <summary>A cheap look that spares the verification of a signature: whose key is it.</summary>
    public static bool TryPeekSender(scoped in StunMessage message, out PeerId sender)
    {
        bool found = message.TryGetGimletHello(out GimletHello wire);
        sender = found ? PeerId.FromPublicKey(wire.PublicKey) : default;
        return found;
    }
}

/// <summary>What a node says of itself in its hellos.</summary>
internal sealed record OwnHello(byte[] PublicKey, byte[] Prekey, byte[] Signature, bool IsInitiator);

/// <summary>What a verified hello says of the peer.</summary>
internal readonly record struct PeerHello(PeerId Id, byte[] Prekey, bool IsInitiator);
