using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire;

public sealed class ConnectionIdTests
{
    [Fact]
    public void Ids_of_every_length_keep_their_bytes()
    {
        byte[] bytes = [.. Enumerable.Range(1, ConnectionId.MaxLength).Select(i => (byte)i)];
        for (int length = 0; length <= ConnectionId.MaxLength; length++)
        {
            var id = new ConnectionId(bytes.AsSpan(0, length));
            byte[] copy = new byte[length];
            id.CopyTo(copy);
            Assert.Equal(bytes[..length], copy);
            Assert.Equal(length, id.Length);
            Assert.Equal(Convert.ToHexStringLower(copy), id.ToString());
            Assert.True(id.Matches(copy));
        }
    }

    [Fact]
    public void Ids_that_differ_only_in_trailing_zeros_are_different()
    {
        Assert.NotEqual(Ids.Hex("01"), Ids.Hex("0100"));
        Assert.NotEqual(default, Ids.Hex("00"));
        Assert.False(Ids.Hex("01").Matches([1, 0]));
        Assert.Equal(Ids.Hex("0102"), Ids.Hex("0102"));
        Assert.Equal(Ids.Hex("0102").GetHashCode(), Ids.Hex("0102").GetHashCode());
    }

    [Fact]
    public void An_id_has_at_most_twenty_bytes() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConnectionId(new byte[21]));

    [Fact]
    public void Drawn_ids_come_from_the_given_source()
    {
        var one = ConnectionId.Create(new Random(1).NextBytes, 8);
        Assert.Equal(one, ConnectionId.Create(new Random(1).NextBytes, 8));
        Assert.Equal(8, one.Length);
    }

    [Fact]
    public void A_reset_token_tells_nothing_of_itself()
    {
        byte[] bytes = [.. Enumerable.Range(0, 16).Select(i => (byte)i)];
        var token = new StatelessResetToken(bytes);
        byte[] copy = new byte[16];
        token.CopyTo(copy);
        Assert.Equal(bytes, copy);
        Assert.DoesNotContain("0e0f", token.ToString(), StringComparison.OrdinalIgnoreCase);

        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] other = [.. bytes];
            other[i] ^= 0x80;
            Assert.NotEqual(token, new StatelessResetToken(other));
        }
    }
}
