using System.Security.Cryptography;
using System.Text;
using Gimlet.Identity;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Identity;

public sealed class TicketTests
{
    private static readonly Uri Home = new("https://gimlet.example.org/");
    private static readonly Uri Second = new("http://192.0.2.1:8080/base");

    [Fact]
    public void A_ticket_survives_the_round_trip()
    {
        var ticket = new Ticket(Keys.Small.Id, [Home, Second]);
        var read = Ticket.Parse($" {ticket.ToString().ToUpperInvariant()} ");
        Assert.Equal(Keys.Small.Id, read.Peer);
        Assert.Equal([Home, Second], read.Servers);
        Assert.Equal(ticket, read);
        Assert.Equal(ticket.GetHashCode(), read.GetHashCode());
    }

    [Fact]
    public void A_ticket_without_servers_is_one() => Assert.Empty(Ticket.Parse(new Ticket(Keys.Small.Id, []).ToString()).Servers);

    [Fact]
    public void Every_truncation_is_refused_in_words()
    {
        string text = new Ticket(Keys.Small.Id, [Home, Second]).ToString();
        for (int length = 0; length < text.Length; length++)
        {
            Assert.False(Ticket.TryParse(text[..length], out Ticket? ticket, out string? problem));
            Assert.Null(ticket);
            Assert.NotEmpty(problem);
        }
    }

    [Fact]
    public void A_character_too_many_is_refused_whatever_it_is()
    {
        for (int urls = 0; urls < 6; urls++)
        {
            string text = new Ticket(Keys.Small.Id, Enumerable.Range(0, urls).Select(i => new Uri($"http://h{new string('x', i)}/"))).ToString();
            foreach (char c in "abc234567")
            {
                Assert.False(Ticket.TryParse(text + c, out _, out _), $"{text}|{c}");
            }
        }
    }

    [Fact]
    public void Ten_thousand_mutations_are_refused_without_an_exception()
    {
        byte[] text = Encoding.ASCII.GetBytes(new Ticket(Keys.Small.Id, [Home, Second]).ToString());
        string lower = Encoding.ASCII.GetString(text);
        foreach (byte[] bytes in Mutations.Random(text, seed: 1))
        {
            string mutated = Encoding.Latin1.GetString(bytes);
            bool read = Ticket.TryParse(mutated, out _, out string? problem);
            Assert.Equal(read, problem is null);
            Assert.True(!read || string.Equals(mutated.Trim(), lower, StringComparison.OrdinalIgnoreCase), mutated);
        }
    }

    [Fact]
    public void A_typing_error_is_named()
    {
        char[] text = new Ticket(Keys.Small.Id, [Home]).ToString().ToCharArray();
        char old = text[20];
        text[20] = old == 'a' ? 'b' : 'a';
        Assert.False(Ticket.TryParse(new string(text), out _, out string? problem));
        Assert.Contains("typing error", problem, StringComparison.Ordinal);
        text[20] = '1';
        Assert.False(Ticket.TryParse(new string(text), out _, out problem));
        Assert.Contains("character 21, '1'", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_that_this_version_does_not_know_are_ignored()
    {
        Ticket ticket = Ticket.Parse(Encode([9, 3, 1, 2, 3, 1, (byte)Home.AbsoluteUri.Length, .. Encoding.UTF8.GetBytes(Home.AbsoluteUri), 8, 0]));
        Assert.Equal([Home], ticket.Servers);
    }

    [Fact]
    public void What_is_not_the_URL_of_a_server_is_ignored()
    {
        foreach (string url in new[] { "/etc/passwd", "file:///etc/passwd", "not a url", "ftp://example.org/", string.Empty })
        {
            Assert.Empty(Ticket.Parse(Encode([1, (byte)url.Length, .. Encoding.UTF8.GetBytes(url)])).Servers);
        }

        // It is short enough as it stands and too long once it is escaped.
        byte[] escaped = Encoding.UTF8.GetBytes($"http://h/{new string('é', 120)}");
        Assert.Empty(Ticket.Parse(Encode([1, (byte)escaped.Length, .. escaped])).Servers);
    }

    [Fact]
    public void A_field_that_is_cut_short_is_named()
    {
        foreach (byte[] fields in new byte[][] { [1], [1, 1], [1, 200, 1, 2] })
        {
            Assert.False(Ticket.TryParse(Encode(fields), out _, out string? problem));
            Assert.Contains("cut short", problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_server_that_no_ticket_can_carry_is_refused_when_the_ticket_is_made()
    {
        var tooLong = new Uri($"https://gimlet.example.org/{new string('x', 250)}");
        Assert.Contains("255", Assert.Throws<ArgumentException>(() => new Ticket(Keys.Small.Id, [tooLong])).Message, StringComparison.Ordinal);
        var large = new Uri($"https://gimlet.example.org/{new string('x', 220)}");
        _ = Assert.Throws<ArgumentException>(() => new Ticket(Keys.Small.Id, [large, large, large, large, large]));
        _ = Assert.Throws<ArgumentException>(() => new Ticket(Keys.Small.Id, [new Uri("ftp://example.org/")]));
        Assert.Equal([large, large, large], Ticket.Parse(new Ticket(Keys.Small.Id, [large, large, large]).ToString()).Servers);
    }

    private static string Encode(byte[] fields)
    {
        byte[] peer = new byte[PeerId.Size];
        Keys.Small.Id.CopyTo(peer);
        byte[] body = [.. peer, .. fields];
        return Ticket.Prefix + Base32.Encode([.. body, .. SHA256.HashData(body).AsSpan(0, 4)]);
    }
}
