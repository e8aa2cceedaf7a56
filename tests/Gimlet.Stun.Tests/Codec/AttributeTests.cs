using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Tests.Codec;

/// <summary>Each attribute through its writer and its reader, and what its reader refuses.</summary>
public sealed class AttributeTests
{
    private static readonly StunTransactionId Id = new("abcdefghijkl"u8);

    [Theory]
    [InlineData("192.0.2.7:40000")]
    [InlineData("[2001:db8::7]:40000")]
    public void Every_address_attribute_gives_back_what_was_written(string text)
    {
        var address = TransportAddress.Parse(text);
        var builder = Begin();
        builder.AddMappedAddress(address);
        builder.AddXorMappedAddress(address.WithPort(1));
        builder.AddSourceAddress(address.WithPort(2));
        builder.AddChangedAddress(address.WithPort(3));
        builder.AddResponseOrigin(address.WithPort(4));
        builder.AddOtherAddress(address.WithPort(5));
        builder.AddAlternateServer(address.WithPort(6));
        StunMessage message = Parse(builder);

        Assert.True(message.TryGetMappedAddress(out TransportAddress read));
        Assert.Equal(address, read);
        Assert.True(message.TryGetXorMappedAddress(out read));
        Assert.Equal(address.WithPort(1), read);
        Assert.True(message.TryGetSourceAddress(out read));
        Assert.Equal(address.WithPort(2), read);
        Assert.True(message.TryGetChangedAddress(out read));
        Assert.Equal(address.WithPort(3), read);
        Assert.True(message.TryGetResponseOrigin(out read));
        Assert.Equal(address.WithPort(4), read);
        Assert.True(message.TryGetOtherAddress(out read));
        Assert.Equal(address.WithPort(5), read);
        Assert.True(message.TryGetAlternateServer(out read));
        Assert.Equal(address.WithPort(6), read);
    }

    [Fact]
    public void A_masked_address_does_not_stand_in_the_message_in_plain_bytes()
    {
        var builder = Begin();
        builder.AddXorMappedAddress(TransportAddress.Parse("192.0.2.7:40000"));

        Assert.Equal(-1, builder.Written.IndexOf((ReadOnlySpan<byte>)[192, 0, 2, 7]));
    }

    [Theory]
    [InlineData("0001")]
    [InlineData("0001000a0a0000")]
    [InlineData("0002000a0a000001")]
    [InlineData("0001000a0a00000100")]
    [InlineData("0003000a0a000001")]
    [InlineData("0001000a20010db8000000000000000000000001")]
    public void An_address_whose_family_and_length_disagree_is_no_address(string value)
    {
        var builder = Begin();
        builder.Add(StunAttributeType.MappedAddress, Convert.FromHexString(value));
        builder.Add(StunAttributeType.XorMappedAddress, Convert.FromHexString(value));
        StunMessage message = Parse(builder);

        Assert.False(message.TryGetMappedAddress(out _));
        Assert.False(message.TryGetXorMappedAddress(out _));
    }

    [Fact]
    public void An_IPv4_mapped_IPv6_address_on_the_wire_is_read_as_IPv4()
    {
        var builder = Begin();
        builder.Add(StunAttributeType.MappedAddress, Convert.FromHexString("0002000a00000000000000000000ffff0a000001"));

        Assert.True(Parse(builder).TryGetMappedAddress(out TransportAddress address));
        Assert.Equal(TransportAddress.Parse("10.0.0.1:10"), address);
    }

    [Fact]
    public void Numbers_flags_and_texts_give_back_what_was_written()
    {
        var builder = Begin();
        builder.AddUsername("user"u8);
        builder.AddSoftware("soft"u8);
        builder.AddPriority(1);
        builder.AddIceControlled(2);
        builder.AddIceControlling(3);
        builder.AddUseCandidate();
        builder.AddGimletNomination(4);
        builder.AddGimletPing(5);
        builder.AddGimletClose(6);
        builder.AddGimletObserve();
        builder.AddResponsePort(7);
        builder.AddPadding(9);
        builder.AddChangeRequest(ChangeRequest.ChangePort | ChangeRequest.ChangeAddress);
        StunMessage message = Parse(builder);

        Assert.True(message.TryGetUsername(out ReadOnlySpan<byte> text) && text.SequenceEqual("user"u8));
        Assert.True(message.TryGetSoftware(out text) && text.SequenceEqual("soft"u8));
        Assert.True(message.TryGetPriority(out uint number) && number == 1);
        Assert.True(message.TryGetIceControlled(out ulong tie) && tie == 2);
        Assert.True(message.TryGetIceControlling(out tie) && tie == 3);
        Assert.True(message.HasUseCandidate());
        Assert.True(message.TryGetGimletNomination(out number) && number == 4);
        Assert.True(message.TryGetGimletPing(out number) && number == 5);
        Assert.True(message.TryGetGimletClose(out number) && number == 6);
        Assert.True(message.HasGimletObserve());
        Assert.True(message.TryGetResponsePort(out int port) && port == 7);
        Assert.True(message.TryGetPadding(out int padding) && padding == 9);
        Assert.True(message.TryGetChangeRequest(out ChangeRequest change));
        Assert.Equal(ChangeRequest.ChangePort | ChangeRequest.ChangeAddress, change);
    }

    [Fact]
    public void Numbers_of_the_wrong_length_and_flags_with_a_value_are_not_read()
    {
        var builder = Begin();
        builder.Add(StunAttributeType.Priority, [1, 2, 3]);
        builder.Add(StunAttributeType.IceControlled, 1u);
        builder.Add(StunAttributeType.UseCandidate, 1u);
        builder.Add(StunAttributeType.ChangeRequest, 1ul);
        builder.Add(StunAttributeType.ResponsePort, 1ul);
        builder.Add(StunAttributeType.GimletProof, new byte[19]);
        builder.Add(StunAttributeType.GimletHello, new byte[219]);
        builder.Add(StunAttributeType.UnknownAttributes, [1, 2, 3]);
        builder.Add(StunAttributeType.Username, new byte[509]);
        StunMessage message = Parse(builder);

        Assert.False(message.TryGetPriority(out _));
        Assert.False(message.TryGetIceControlled(out _));
        Assert.False(message.HasUseCandidate());
        Assert.False(message.TryGetChangeRequest(out _));
        Assert.False(message.TryGetResponsePort(out _));
        Assert.False(message.TryGetGimletProof(out _));
        Assert.False(message.TryGetGimletHello(out _));
        Assert.False(message.TryGetUnknownAttributes(out _));
        Assert.False(message.TryGetUsername(out _));
    }

    [Fact]
    public void A_response_port_may_count_its_padding_or_not_and_is_never_zero()
    {
        var builder = Begin();
        builder.Add(StunAttributeType.ResponsePort, [0x12, 0x34]);
        Assert.True(Parse(builder).TryGetResponsePort(out int port));
        Assert.Equal(0x1234, port);

        builder = Begin();
        builder.Add(StunAttributeType.ResponsePort, 0u);
        Assert.False(Parse(builder).TryGetResponsePort(out _));
    }

    [Theory]
    [InlineData(StunErrorCode.TryAlternate)]
    [InlineData(StunErrorCode.UnknownAttribute)]
    [InlineData((StunErrorCode)699)]
    public void An_error_code_gives_back_what_was_written(StunErrorCode code)
    {
        var builder = Begin();
        builder.AddErrorCode(code, "why"u8);

        Assert.True(Parse(builder).TryGetErrorCode(out StunErrorCode read, out ReadOnlySpan<byte> reason));
        Assert.Equal(code, read);
        Assert.Equal("why"u8, reason);
    }

    [Theory]
    [InlineData("00000200")]
    [InlineData("00000700")]
    [InlineData("00000464")]
    [InlineData("000004")]
    public void An_error_code_outside_300_to_699_is_none(string value)
    {
        var builder = Begin();
        builder.Add(StunAttributeType.ErrorCode, Convert.FromHexString(value));

        Assert.False(Parse(builder).TryGetErrorCode(out _, out _));
    }

    [Fact]
    public void The_list_of_unknown_attributes_gives_back_what_was_written()
    {
        var builder = Begin();
        builder.AddUnknownAttributes([(StunAttributeType)0x7001, StunAttributeType.ChangeRequest, (StunAttributeType)0x7002]);

        Assert.True(Parse(builder).TryGetUnknownAttributes(out UnknownAttributeList types));
        Assert.Equal(3, types.Count);
        Assert.Equal((StunAttributeType)0x7001, types[0]);
        Assert.Equal(StunAttributeType.ChangeRequest, types[1]);
        Assert.Equal((StunAttributeType)0x7002, types[2]);
    }

    [Fact]
    public void A_hello_and_a_proof_give_back_what_was_written()
    {
        byte[] key = [.. Enumerable.Repeat((byte)1, 91)];
        byte[] preKey = [.. Enumerable.Repeat((byte)2, 65)];
        byte[] signature = [.. Enumerable.Repeat((byte)3, 64)];
        byte[] proof = [.. Enumerable.Repeat((byte)4, 20)];
        var builder = Begin();
        builder.AddGimletHello(key, preKey, signature);
        builder.AddGimletProof(proof);
        StunMessage message = Parse(builder);

        Assert.True(message.TryGetGimletHello(out GimletHello hello));
        Assert.Equal(key, hello.PublicKey);
        Assert.Equal(preKey, hello.PreKey);
        Assert.Equal(signature, hello.Signature);
        Assert.True(message.TryGetGimletProof(out ReadOnlySpan<byte> read));
        Assert.Equal(proof, read);
    }

    private static StunMessageBuilder Begin() => new(new byte[2048], StunClass.Request, StunMethod.Binding, Id);

    private static StunMessage Parse(StunMessageBuilder builder)
    {
        Assert.True(StunMessage.TryParse(builder.Written, out StunMessage message));
        return message;
    }
}
