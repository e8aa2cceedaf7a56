using System.Security.Cryptography;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Tests.Paths.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Endpoints;

/// <summary>RFC 9000 section 10.3.</summary>
public sealed class StatelessResetTests : IDisposable
{
    private static readonly ConnectionId Id = Ids.Hex("0102030405060708");
    private static readonly byte[] Key = [.. Enumerable.Range(7, 32).Select(i => (byte)i)];

    private readonly StatelessReset _reset = new(Key, Seeded.Bytes(103));

    public void Dispose() => _reset.Dispose();

    [Fact]
    public void The_token_is_the_HMAC_of_the_id()
    {
        byte[] expected = HMACSHA256.HashData(Key, Convert.FromHexString("0102030405060708"));
        Assert.Equal(new StatelessResetToken(expected), _reset.TokenFor(Id));
    }

    [Fact]
    public void Tokens_depend_on_the_key_and_the_whole_id()
    {
        using var same = new StatelessReset(Key, Seeded.Bytes(1));
        using var other = new StatelessReset(Seeded.Bytes(1));
        Assert.Equal(_reset.TokenFor(Id), same.TokenFor(Id));
        Assert.NotEqual(_reset.TokenFor(Id), other.TokenFor(Id));
        Assert.NotEqual(_reset.TokenFor(Id), _reset.TokenFor(Ids.Hex("0102030405060709")));
        Assert.NotEqual(_reset.TokenFor(Id), _reset.TokenFor(Ids.Hex("010203040506070800")));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StatelessReset(Key.AsSpan(1), Seeded.Bytes(1)));
    }

    [Fact]
    public void Every_reset_is_shorter_than_what_it_answers_and_looks_like_a_short_header()
    {
        byte[] token = new byte[16];
        _reset.TokenFor(Id).CopyTo(token);
        var lengths = new HashSet<int>();
        byte[] answer = new byte[100];
        for (int received = 0; received <= 1500; received++)
        {
            var now = TimeSpan.FromSeconds(received);
            bool isAnswered = _reset.TryWrite(now, received, Id, answer, out int length);
            Assert.Equal(received > 21, isAnswered);
            if (!isAnswered)
            {
                Assert.Equal(0, length);
                continue;
            }

            Assert.InRange(length, StatelessReset.MinLength, received - 1);
            Assert.Equal(0x40, answer[0] & 0xc0);
            Assert.Equal(token, answer[(length - 16)..length]);
            if (received <= 43)
            {
                Assert.Equal(received - 1, length);
            }
            else
            {
                Assert.InRange(length, 42, 73);
                _ = lengths.Add(length);
            }
        }

        // Not all alike: an observer could tell them by it.
        Assert.InRange(lengths.Count, 20, 32);
    }

    [Fact]
    public void The_unpredictable_bits_are_not_the_same_twice()
    {
        byte[] first = new byte[100], second = new byte[100];
        Assert.True(_reset.TryWrite(TimeSpan.Zero, 43, Id, first, out int length));
        Assert.True(_reset.TryWrite(TimeSpan.Zero, 43, Id, second, out _));
        Assert.NotEqual(first[1..(length - 16)], second[1..(length - 16)]);
    }

    [Fact]
    public void Two_endpoints_that_answer_each_other_come_to_an_end()
    {
        using var other = new StatelessReset(Seeded.Bytes(2));
        byte[] answer = new byte[100];
        int length = 1200, rounds = 0;
        while ((rounds % 2 == 0 ? _reset : other).TryWrite(TimeSpan.FromMilliseconds(rounds), length, Id, answer, out int answered))
        {
            length = answered;
            Assert.InRange(++rounds, 1, 60);
        }

        Assert.Equal(StatelessReset.MinLength, length);
    }

    [Fact]
    public void Only_so_many_resets_are_sent_in_a_second()
    {
        byte[] answer = new byte[100];
        Assert.Equal(StatelessReset.PerSecond, Flood(TimeSpan.FromSeconds(9), answer));
        Assert.Equal(0, Flood(TimeSpan.FromSeconds(9), answer));
        Assert.Equal(StatelessReset.PerSecond / 4, Flood(TimeSpan.FromSeconds(9.25), answer));
        Assert.Equal(StatelessReset.PerSecond, Flood(TimeSpan.FromSeconds(90), answer));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] answer = new byte[100];
        int second = 0;
        Allocations.AssertNone(() => Assert.True(_reset.TryWrite(TimeSpan.FromSeconds(++second), 1200, Id, answer, out _)));
    }

    private int Flood(TimeSpan now, byte[] answer)
    {
        int count = 0;
        for (int i = 0; i < 5_000; i++)
        {
            count += _reset.TryWrite(now, 1200, Id, answer, out _) ? 1 : 0;
        }

        return count;
    }
}
