namespace Gimlet.Quic.Interop.Peers;

public sealed class InteropPatternTests
{
    [Fact]
    public void The_pattern_begins_as_the_readme_says()
    {
        byte[] start = new byte[16];
        InteropPattern.Fill(start, 0);
        Assert.Equal(PatternStart, Convert.ToHexStringLower(start));
    }

    private const string PatternStart = "00000000df45369ebf8b6e3c5fd8a7da";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(65537)]
    public void A_piece_from_anywhere_is_the_same_as_in_the_whole(int offset)
    {
        byte[] whole = new byte[70_000];
        InteropPattern.Fill(whole, 0);
        foreach (int length in (int[])[0, 1, 2, 3, 4, 5, 8, 4000])
        {
            byte[] piece = new byte[length];
            InteropPattern.Fill(piece, (ulong)offset);
            Assert.Equal(whole[offset..(offset + length)], piece);
            Assert.All(Enumerable.Range(0, length), i => Assert.Equal(whole[offset + i], InteropPattern.At((ulong)(offset + i))));
        }
    }
}
