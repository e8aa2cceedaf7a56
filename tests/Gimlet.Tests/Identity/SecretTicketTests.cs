using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Gimlet.Access;
using Gimlet.Identity;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Identity;

/// <summary>Tickets with a secret and an end, and text that somebody hostile made.</summary>
public sealed class SecretTicketTests
{
    private static readonly Uri Home = new("https://gimlet.example.org/");
    private static readonly DateTimeOffset End = new(2026, 12, 31, 23, 59, 59, TimeSpan.Zero);
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 16).Select(i => (byte)(0xA0 + i))];

    [Fact]
    public void Secret_and_end_survive_the_round_trip()
    {
        Ticket ticket = Make(End);
        var read = Ticket.Parse(ticket.ToString());
        Assert.True(read.HasSecret);
        Assert.Equal(Secret, read.Secret.ToArray());
        Assert.Equal(End, read.Expires);
        Assert.Equal([Home], read.Servers);
        Assert.Equal(ticket, read);
        Assert.Equal(ticket.GetHashCode(), read.GetHashCode());
    }

    [Fact]
    public void The_bytes_are_those_of_the_protocol()
    {
        byte[] seconds = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(seconds, End.ToUnixTimeSeconds());
        Assert.Equal(Encode([1, (byte)Home.AbsoluteUri.Length, .. Encoding.UTF8.GetBytes(Home.AbsoluteUri), 2, 16, .. Secret, 3, 8, .. seconds]), Make(End).ToString());
    }

    [Fact]
    public void A_ticket_without_them_is_written_as_it_always_was()
    {
        var ticket = new Ticket(Keys.Small.Id, [Home]);
        Assert.False(ticket.HasSecret);
        Assert.True(ticket.Secret.IsEmpty);
        Assert.Null(ticket.Expires);
        Assert.False(ticket.IsExpired(DateTimeOffset.MaxValue));
        Assert.Equal(Encode([1, (byte)Home.AbsoluteUri.Length, .. Encoding.UTF8.GetBytes(Home.AbsoluteUri)]), ticket.ToString());
        Assert.NotEqual(ticket, Make(null));
        Assert.NotEqual(Make(null), Make(End));
    }

    [Fact]
    public void A_ticket_expires_with_its_second()
    {
        Assert.False(Make(End).IsExpired(End.AddTicks(-1)));
        Assert.True(Make(End).IsExpired(End));
        Assert.False(Make(null).IsExpired(End.AddYears(1000)));
    }

    [Fact]
    public void Parts_of_a_second_are_left_out_on_both_sides() => Assert.Equal(Make(End), Make(End.AddTicks(123)));

    [Fact]
    public void Each_bad_secret_or_end_is_named()
    {
        Assert.Contains("secret has 0 bytes", Problem([2, 0]), StringComparison.Ordinal);
        Assert.Contains("secret has 15 bytes", Problem([2, 15, .. Secret[1..]]), StringComparison.Ordinal);
        Assert.Contains("secret has 17 bytes", Problem([2, 17, 0, .. Secret]), StringComparison.Ordinal);
        Assert.Contains("two secrets", Problem([2, 16, .. Secret, 2, 16, .. Secret]), StringComparison.Ordinal);
        Assert.Contains("not a time", Problem([3, 0]), StringComparison.Ordinal);
        Assert.Contains("not a time", Problem([3, 4, 1, 2, 3, 4]), StringComparison.Ordinal);
        Assert.Contains("not a time", Problem([3, 8, 0xFF, 0, 0, 0, 0, 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("not a time", Problem([3, 8, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]), StringComparison.Ordinal);
        Assert.Contains("two expiry times", Problem([3, 8, 0, 0, 0, 0, 0, 0, 0, 1, 3, 8, 0, 0, 0, 0, 0, 0, 0, 2]), StringComparison.Ordinal);
        Assert.Contains("cut short", Problem([2, 16, .. Secret[..15]]), StringComparison.Ordinal);
    }

    [Fact]
    public void An_end_at_either_limit_of_the_calendar_is_one()
    {
        Assert.Equal(DateTimeOffset.UnixEpoch, Ticket.Parse(Encode([3, 8, .. new byte[8]])).Expires);
        byte[] last = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(last, DateTimeOffset.MaxValue.ToUnixTimeSeconds());
        Assert.Equal(9999, Ticket.Parse(Encode([3, 8, .. last])).Expires!.Value.Year);
        BinaryPrimitives.WriteInt64BigEndian(last, DateTimeOffset.MaxValue.ToUnixTimeSeconds() + 1);
        Assert.Contains("not a time", Problem([3, 8, .. last]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_ticket_to_nobody_is_refused_both_ways()
    {
        byte[] body = new byte[PeerId.Size];
        Assert.False(Ticket.TryParse(Ticket.Prefix + Base32.Encode([.. body, .. SHA256.HashData(body).AsSpan(0, 4)]), out _, out string? problem));
        Assert.Contains("no peer", problem, StringComparison.Ordinal);
        _ = Assert.Throws<ArgumentException>(() => new Ticket(default, [Home]));
    }

    [Fact]
    public void A_secret_of_another_length_is_refused_when_the_ticket_is_made()
    {
        var ticket = new Ticket(Keys.Small.Id, [Home]);
        Assert.All(new[] { 0, 15, 17 }, length => Assert.Throws<ArgumentException>(() => ticket.With(new IssuedTicket(new byte[length], null))));
        _ = Assert.Throws<ArgumentException>(() => ticket.With(default));
    }

    [Fact]
    public void A_secret_that_makes_the_ticket_too_long_is_refused()
    {
        Uri[] urls = [.. Enumerable.Range(0, 4).Select(_ => new Uri($"https://h.example/{new string('x', 222)}"))];
        var ticket = new Ticket(Keys.Small.Id, [.. urls, new Uri($"http://h/{new string('x', 9)}")]);
        _ = Assert.Throws<ArgumentException>(() => ticket.With(new IssuedTicket(Secret, End)));
    }

    [Fact]
    public void No_message_has_the_secret_or_a_part_of_it()
    {
        string text = Make(End).ToString();
        var damaged = new List<string> { text[3..], text[40..], text + "a", text.Replace("gimlet1", "gimlet2", StringComparison.Ordinal) };
        for (int i = Ticket.Prefix.Length; i < text.Length; i++)
        {
            damaged.Add(text[..i] + (text[i] == 'a' ? 'b' : 'a') + text[(i + 1)..]);
            damaged.Add(text[..i] + '!' + text[(i + 1)..]);
            damaged.Add(text[..i]);
        }

        foreach (string bad in damaged)
        {
            string message = Assert.Throws<FormatException>(() => Ticket.Parse(bad)).ToString();

            // Eight characters in a row of what follows the peer id are more than chance.
            for (int i = Ticket.Prefix.Length + 52; i + 8 <= text.Length; i++)
            {
                Assert.DoesNotContain(text.Substring(i, 8), message, StringComparison.OrdinalIgnoreCase);
            }
        }

        string brief = Make(End).ToShortString();
        Assert.Contains("with a secret", brief, StringComparison.Ordinal);
        Assert.Contains("2026-12-31 23:59:59Z", brief, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString(Secret)[..8], brief, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("gimlet1", brief, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_mutations_of_the_body_behind_a_right_checksum_are_read_or_refused_in_words()
    {
        byte[] seconds = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(seconds, End.ToUnixTimeSeconds());
        byte[] fields = [1, (byte)Home.AbsoluteUri.Length, .. Encoding.UTF8.GetBytes(Home.AbsoluteUri), 2, 16, .. Secret, 3, 8, .. seconds];
        int read = 0;
        foreach (byte[] mutated in Mutations.Random(fields, seed: 3))
        {
            if (Ticket.TryParse(Encode(mutated), out Ticket? ticket, out string? problem))
            {
                read++;
                Assert.Null(problem);
                Assert.True(ticket.Secret.Length is 0 or 16);
                Assert.Equal(ticket, Ticket.Parse(ticket.ToString()));
            }
            else
            {
                Assert.NotEmpty(problem);
                Assert.Null(ticket);
            }
        }

        Assert.InRange(read, 1000, 9000);
    }

    private static Ticket Make(DateTimeOffset? end) => new Ticket(Keys.Small.Id, [Home]).With(new IssuedTicket(Secret, end));

    private static string Problem(byte[] fields)
    {
        Assert.False(Ticket.TryParse(Encode(fields), out _, out string? problem));
        return problem;
    }

    private static string Encode(byte[] fields)
    {
        byte[] peer = new byte[PeerId.Size];
        Keys.Small.Id.CopyTo(peer);
        byte[] body = [.. peer, .. fields];
        return Ticket.Prefix + Base32.Encode([.. body, .. SHA256.HashData(body).AsSpan(0, 4)]);
    }
}
