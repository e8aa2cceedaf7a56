using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Identity;

public sealed class PeerIdTests
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    private static readonly PeerId Sample = new(SHA256.HashData("a sample"u8));

    [Fact]
    public void The_text_survives_the_round_trip()
    {
        string text = Sample.ToString();
        Assert.Equal(PeerId.TextLength, text.Length);
        Assert.Equal(Sample, PeerId.Parse(text));
        Assert.Equal(Sample, PeerId.Parse($"  {text.ToUpperInvariant()}\n"));
        Assert.StartsWith(Sample.ToShortString(), text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_text_is_base32_over_version_hash_and_checksum()
    {
        byte[] expected = new byte[35];
        expected[0] = 1;
        Sample.CopyTo(expected.AsSpan(1));
        SHA256.HashData(expected.AsSpan(0, 33)).AsSpan(0, 2).CopyTo(expected.AsSpan(33));
        byte[] bytes = new byte[35];
        Assert.True(Base32.TryDecode(Sample.ToString(), bytes, out _));
        Assert.Equal(expected, bytes);
    }

    [Fact]
    public void Every_wrong_character_at_every_place_is_called_a_typing_error()
    {
        string text = Sample.ToString();
        for (int i = 0; i < text.Length; i++)
        {
            foreach (char c in Alphabet.Where(c => c != text[i]))
            {
                AssertTypingError(string.Concat(text.AsSpan(0, i), [c], text.AsSpan(i + 1)));
            }
        }
    }

    [Fact]
    public void Every_swap_of_two_neighbours_is_called_a_typing_error()
    {
        string text = Sample.ToString();
        for (int i = 0; i + 1 < text.Length; i++)
        {
            if (text[i] != text[i + 1])
            {
                AssertTypingError(string.Concat(text.AsSpan(0, i), [text[i + 1], text[i]], text.AsSpan(i + 2)));
            }
        }
    }

    [Fact]
    public void A_character_that_cannot_be_there_is_named_with_its_place()
    {
        string text = Sample.ToString();
        foreach (char c in "0189-_!é ")
        {
            for (int i = 1; i + 1 < text.Length; i++)
            {
                Assert.False(PeerId.TryParse(string.Concat(text.AsSpan(0, i), [c], text.AsSpan(i + 1)), out _, out string? problem));
                Assert.Contains($"character {i + 1}, '{c}'", problem, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_wrong_length_is_named_with_both_lengths()
    {
        string text = Sample.ToString();
        foreach (string? wrong in new[] { null, string.Empty, " ", text[..^1], text + "a", text + text })
        {
            Assert.False(PeerId.TryParse(wrong, out PeerId id, out string? problem));
            Assert.True(id.IsEmpty);
            Assert.Equal($"a peer id has 56 characters, this has {wrong?.Trim().Length ?? 0}", problem);
        }
    }

    [Fact]
    public void Another_version_is_named_as_such()
    {
        byte[] bytes = new byte[35];
        bytes[0] = 2;
        SHA256.HashData(bytes.AsSpan(0, 33)).AsSpan(0, 2).CopyTo(bytes.AsSpan(33));
        Assert.False(PeerId.TryParse(Base32.Encode(bytes), out _, out string? problem));
        Assert.Contains("version 2", problem, StringComparison.Ordinal);
        Assert.Contains("version 1", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_says_what_is_wrong() =>
        Assert.Contains("56 characters", Assert.Throws<FormatException>(() => PeerId.Parse("abc")).Message, StringComparison.Ordinal);

    [Fact]
    public void Ids_are_ordered_as_their_bytes()
    {
        for (int i = 0; i < PeerId.Size; i++)
        {
            byte[] bytes = new byte[PeerId.Size];
            bytes[i] = 1;
            var id = new PeerId(bytes);
            bytes[i] = 0x80;
            var larger = new PeerId(bytes);
            Assert.True(default(PeerId) < id && id < larger && larger > id && id <= larger && larger >= id && id != larger);
            Assert.Equal(0, id.CompareTo(id));
            Assert.NotEqual(id.GetHashCode(), i < 16 ? default(PeerId).GetHashCode() : -1);
        }
    }

    [Fact]
    public void The_id_of_a_node_is_the_hash_of_its_public_key()
    {
        NodeIdentity identity = Keys.Small;
        Assert.Equal(new PeerId(SHA256.HashData(identity.PublicKey.Span)), identity.Id);
        Assert.Equal(91, identity.PublicKey.Length);
    }

    [Fact]
    public void A_hash_of_another_length_is_not_an_id() => Assert.Throws<ArgumentException>(() => new PeerId(new byte[31]));

    [Fact]
    public void Truncations_and_ten_thousand_mutations_are_read_or_refused_in_words()
    {
        byte[] text = System.Text.Encoding.ASCII.GetBytes(Keys.Small.Id.ToString());
        foreach (byte[] bytes in Mutations.Truncations(text).Concat(Mutations.Random(text, seed: 2)))
        {
            string mutated = System.Text.Encoding.Latin1.GetString(bytes);
            bool read = PeerId.TryParse(mutated, out PeerId id, out string? problem);
            Assert.Equal(read, problem is null);
            Assert.True(!read || string.Equals(mutated.Trim(), id.ToString(), StringComparison.OrdinalIgnoreCase), mutated);
        }
    }

    private static void AssertTypingError(string text)
    {
        Assert.False(PeerId.TryParse(text, out _, out string? problem), text);
        Assert.Contains("typing error", problem, StringComparison.Ordinal);
    }
}
