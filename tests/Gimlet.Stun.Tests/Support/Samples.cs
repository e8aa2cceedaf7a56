using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Tests.Support;

/// <summary>Valid messages of every kind that this library reads.</summary>
internal static class Samples
{
    public static readonly StunTransactionId Id = new("0123456789ab"u8);

    private static readonly TransportAddress V4 = TransportAddress.Parse("192.0.2.1:1234");
    private static readonly TransportAddress V6 = TransportAddress.Parse("[2001:db8::1]:1234");

    public static byte[] Check(ReadOnlySpan<byte> key) => BuildCheck(new byte[512], key).Written.ToArray();

    /// <summary>A check as docs/protocol.md section 4 lays it out.</summary>
    public static StunMessageBuilder BuildCheck(Span<byte> buffer, ReadOnlySpan<byte> key)
    {
        var builder = new StunMessageBuilder(buffer, StunClass.Request, StunMethod.Binding, Id);
        builder.AddUsername("00112233445566778899aabbccddeeff:a"u8);
        builder.AddPriority(0x7effffff);
        builder.AddIceControlling(0x0123456789abcdef);
        builder.AddUseCandidate();
        builder.AddGimletNomination(3);
        builder.AddGimletPing(9);
        builder.AddMessageIntegritySha256(key);
        builder.AddFingerprint();
        return builder;
    }

    public static byte[] Everything()
    {
        var builder = new StunMessageBuilder(new byte[2048], StunClass.Success, StunMethod.Binding, Id);
        builder.AddMappedAddress(V4);
        builder.AddXorMappedAddress(V6);
        builder.AddOtherAddress(V4);
        builder.AddResponseOrigin(V6);
        builder.AddAlternateServer(V4);
        builder.AddSourceAddress(V4);
        builder.AddChangedAddress(V4);
        builder.AddErrorCode(StunErrorCode.UnknownAttribute, "reason"u8);
        builder.AddUnknownAttributes([(StunAttributeType)0x7777]);
        builder.AddSoftware("software"u8);
        builder.AddUsername("user"u8);
        builder.AddChangeRequest(ChangeRequest.ChangePort);
        builder.AddResponsePort(99);
        builder.AddPadding(5);
        builder.AddPriority(1);
        builder.AddIceControlled(2);
        builder.AddIceControlling(3);
        builder.AddUseCandidate();
        builder.AddGimletObserve();
        builder.AddGimletProof(new byte[20]);
        builder.AddGimletHello(new byte[91], new byte[65], new byte[64]);
        builder.AddGimletNomination(4);
        builder.AddGimletPing(5);
        builder.AddGimletClose(6);
        builder.AddMessageIntegrity("key"u8);
        builder.AddMessageIntegritySha256("key"u8);
        builder.AddFingerprint();
        return builder.Written.ToArray();
    }
}
