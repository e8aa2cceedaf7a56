using System.Text;
using Gimlet.Identity;

namespace Gimlet.Tests.Identity;

public sealed class Base32Tests
{
    // RFC 4648 section 10, in lower case and without padding.
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "my")]
    [InlineData("fo", "mzxq")]
    [InlineData("foo", "mzxw6")]
    [InlineData("foob", "mzxw6yq")]
    [InlineData("fooba", "mzxw6ytb")]
    [InlineData("foobar", "mzxw6ytboi")]
    public void The_vectors_of_RFC_4648_hold_both_ways(string plain, string encoded)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(plain);
        Assert.Equal(encoded, Base32.Encode(bytes));
        byte[] decoded = new byte[bytes.Length];
        Assert.True(Base32.TryDecode(encoded, decoded, out int badIndex));
        Assert.Equal(-1, badIndex);
        Assert.Equal(bytes, decoded);
        Assert.True(Base32.TryDecode(encoded.ToUpperInvariant(), decoded, out _));
        Assert.Equal(bytes, decoded);
    }

    [Theory]
    [InlineData("mz", 1)] // the two bits behind the byte are not zero
    [InlineData("m", 1)] // a byte needs two characters
    [InlineData("my", 2)] // a byte is missing
    [InlineData("myaa", 1)] // a byte too many
    [InlineData("mya", 1)] // a character that carries nothing
    [InlineData("mzxw6a", 3)]
    [InlineData("mzxw6ytba", 5)]
    public void Only_one_text_means_the_same_bytes(string text, int length)
    {
        Assert.False(Base32.TryDecode(text, new byte[length], out int badIndex));
        Assert.Equal(-1, badIndex);
    }

    [Theory]
    [InlineData("m1", 1)]
    [InlineData("8y", 0)]
    [InlineData("m ", 1)]
    [InlineData("m=", 1)]
    [InlineData("mé", 1)]
    public void A_character_outside_the_alphabet_is_named_by_its_place(string text, int badIndex)
    {
        Assert.False(Base32.TryDecode(text, new byte[1], out int found));
        Assert.Equal(badIndex, found);
    }

    [Fact]
    public void Every_length_survives_the_round_trip()
    {
        var random = new Random(1);
        for (int length = 0; length < 300; length++)
        {
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            string text = Base32.Encode(bytes);
            Assert.Equal(Base32.EncodedLength(length), text.Length);
            byte[] decoded = new byte[length];
            Assert.True(Base32.TryDecode(text, decoded, out _));
            Assert.Equal(bytes, decoded);
        }
    }
}
