using Gimlet.Stun.Attributes;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Codec;

public sealed class MessageTests
{
    private static readonly StunTransactionId Id = new("abcdefghijkl"u8);

    private static ReadOnlySpan<byte> Key => "key"u8;

    [Theory]
    [InlineData(StunClass.Request, StunMethod.Binding, 0x0001)]
    [InlineData(StunClass.Indication, StunMethod.Binding, 0x0011)]
    [InlineData(StunClass.Success, StunMethod.Binding, 0x0101)]
    [InlineData(StunClass.Error, StunMethod.Binding, 0x0111)]
    [InlineData(StunClass.Request, StunMethod.Allocate, 0x0003)]
    [InlineData(StunClass.Error, (StunMethod)0xFFF, 0x3FFF)]
    [InlineData(StunClass.Success, (StunMethod)0x080, 0x0300)]
    public void Class_and_method_share_the_type_as_RFC_8489_figure_3_draws_it(StunClass @class, StunMethod method, int type)
    {
        var builder = new StunMessageBuilder(new byte[20], @class, method, Id);
        Assert.Equal(type, (builder.Written[0] << 8) | builder.Written[1]);

        Assert.True(StunMessage.TryParse(builder.Written, out StunMessage message));
        Assert.Equal(@class, message.Class);
        Assert.Equal(method, message.Method);
        Assert.Equal(Id, message.TransactionId);
    }

    [Theory]
    [InlineData("", StunFormatError.TooShort)]
    [InlineData("000100002112a442", StunFormatError.TooShort)]
    [InlineData("400100002112a442000000000000000000000000", StunFormatError.NotStun)]
    [InlineData("c00100002112a442000000000000000000000000", StunFormatError.NotStun)]
    [InlineData("000100002112a443000000000000000000000000", StunFormatError.NoMagicCookie)]
    [InlineData("000100022112a4420000000000000000000000000000", StunFormatError.LengthNotAligned)]
    [InlineData("000100042112a442000000000000000000000000", StunFormatError.LengthMismatch)]
    [InlineData("000100002112a44200000000000000000000000000000000", StunFormatError.LengthMismatch)]
    [InlineData("000100042112a44200000000000000000000000000060001", StunFormatError.AttributeOverrun)]
    [InlineData("000100082112a442000000000000000000000000000600ff61626364", StunFormatError.AttributeOverrun)]
    [InlineData("000100042112a44200000000000000000000000080220000", StunFormatError.None)]
    public void What_is_wrong_with_bytes_is_named(string hex, StunFormatError error)
    {
        byte[] bytes = Convert.FromHexString(hex);
        Assert.Equal(error, StunMessage.Parse(bytes, allowLegacy: false, out _));
        Assert.Equal(error == StunFormatError.None, StunMessage.TryParse(bytes, out _));
    }

    [Fact]
    public void A_message_without_the_cookie_is_read_only_where_RFC_3489_is_welcome()
    {
        byte[] bytes = Convert.FromHexString("00010000" + "00112233" + "445566778899aabbccddeeff");

        Assert.False(StunMessage.TryParse(bytes, out _));
        Assert.True(StunMessage.TryParseAny(bytes, out StunMessage message));
        Assert.True(message.IsLegacy);
        Assert.Equal(0x00112233u, message.Cookie);
        Assert.False(StunMessage.LooksLikeStun(bytes));
        var response = StunMessageBuilder.ResponseTo(new byte[64], StunClass.Success, message);
        Assert.Equal(bytes[4..20], response.Written[4..20].ToArray());
    }

    [Fact]
    public void Only_the_first_attribute_of_a_type_counts()
    {
        var builder = new StunMessageBuilder(new byte[64], StunClass.Request, StunMethod.Binding, Id);
        builder.AddPriority(1);
        builder.AddPriority(2);

        Assert.True(StunMessage.TryParse(builder.Written, out StunMessage message));
        Assert.True(message.TryGetPriority(out uint priority));
        Assert.Equal(1u, priority);
    }

    [Fact]
    public void What_follows_an_integrity_attribute_is_ignored_but_for_its_successors()
    {
        var builder = new StunMessageBuilder(new byte[512], StunClass.Request, StunMethod.Binding, Id);
        builder.AddPriority(1);
        builder.AddMessageIntegrity(Key);
        builder.AddUsername("forged"u8);
        builder.AddMessageIntegritySha256(Key);
        builder.AddGimletPing(7);
        builder.AddMessageIntegrity(Key);
        builder.AddFingerprint();
        Assert.True(StunMessage.TryParse(builder.Written, out StunMessage message));

        List<StunAttributeType> types = [];
        foreach (StunAttribute attribute in message)
        {
            types.Add(attribute.Type);
        }

        Assert.Equal(
            [
                StunAttributeType.Priority,
                StunAttributeType.MessageIntegrity,
                StunAttributeType.MessageIntegritySha256,
                StunAttributeType.Fingerprint,
            ],
            types);
        Assert.True(message.VerifyMessageIntegrity(Key));
        Assert.True(message.VerifyMessageIntegritySha256(Key));
        Assert.True(message.VerifyFingerprint());
    }

    [Fact]
    public void A_fingerprint_that_is_not_the_last_attribute_does_not_verify()
    {
        var builder = new StunMessageBuilder(new byte[64], StunClass.Request, StunMethod.Binding, Id);
        builder.AddFingerprint();
        builder.AddPriority(1);

        Assert.True(StunMessage.TryParse(builder.Written, out StunMessage message));
        Assert.False(message.VerifyFingerprint());
        Assert.False(message.TryGetPriority(out _));
    }

    [Fact]
    public void A_change_of_any_bit_breaks_the_integrity_and_the_fingerprint()
    {
        byte[] valid = Samples.Check(Key);
        for (int bit = 0; bit < valid.Length * 8; bit++)
        {
            byte[] changed = [.. valid];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            bool verifies = StunMessage.TryParse(changed, out StunMessage message)
                && message.VerifyMessageIntegritySha256(Key)
                && message.VerifyFingerprint();
            Assert.False(verifies, $"bit {bit}");
        }
    }

    [Fact]
    public void A_truncated_SHA256_integrity_is_not_enough()
    {
        var whole = new StunMessageBuilder(new byte[128], StunClass.Request, StunMethod.Binding, Id);
        whole.AddMessageIntegritySha256(Key);
        var cut = new StunMessageBuilder(new byte[128], StunClass.Request, StunMethod.Binding, Id);
        cut.Add(StunAttributeType.MessageIntegritySha256, whole.Written[24..40]);

        Assert.True(StunMessage.TryParse(cut.Written, out StunMessage message));
        Assert.False(message.VerifyMessageIntegritySha256(Key));
    }

    [Fact]
    public void Integrity_covers_long_messages_too()
    {
        var builder = new StunMessageBuilder(new byte[4096], StunClass.Request, StunMethod.Binding, Id);
        builder.AddPadding(3000);
        builder.AddMessageIntegrity(Key);
        builder.AddMessageIntegritySha256(Key);
        builder.AddFingerprint();

        Assert.True(StunMessage.TryParse(builder.Written, out StunMessage message));
        Assert.True(message.VerifyMessageIntegrity(Key));
        Assert.True(message.VerifyMessageIntegritySha256(Key));
        Assert.True(message.VerifyFingerprint());
    }

    [Fact]
    public void A_buffer_that_is_too_small_gives_no_message_and_no_exception()
    {
        byte[] whole = Samples.Check(Key);
        for (int size = 0; size < whole.Length; size++)
        {
            StunMessageBuilder builder = Samples.BuildCheck(new byte[size], Key);
            Assert.True(builder.Overflowed);
            Assert.Equal(0, builder.Length);
            Assert.True(builder.Written.IsEmpty);
        }

        Assert.Equal(whole, Samples.BuildCheck(new byte[whole.Length], Key).Written.ToArray());
    }

    [Fact]
    public void A_value_that_the_length_field_cannot_hold_overflows()
    {
        var builder = new StunMessageBuilder(new byte[100_000], StunClass.Request, StunMethod.Binding, Id);
        builder.AddPadding(40_000);
        Assert.False(builder.Overflowed);
        builder.AddPadding(40_000);
        Assert.True(builder.Overflowed);
    }
}
