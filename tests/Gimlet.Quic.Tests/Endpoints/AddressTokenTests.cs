using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Tests.Paths.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Endpoints;

/// <summary>RFC 9000 sections 8.1.2 to 8.1.4.</summary>
public sealed class AddressTokenTests : IDisposable
{
    private static readonly ConnectionId Original = Ids.Hex("8394c8f03e515708");
    private static readonly ConnectionId RetrySource = Ids.Hex("f067a5502a4262b5");
    private static readonly byte[] Address = [192, 0, 2, 1, 0x12, 0x34];
    private static readonly byte[] Host = [192, 0, 2, 1];
    private static readonly TimeSpan Start = TimeSpan.FromDays(3);

    private readonly AddressTokens _tokens = new(Seeded.Bytes(812));

    public void Dispose() => _tokens.Dispose();

    [Fact]
    public void A_Retry_token_comes_back_with_the_original_id()
    {
        byte[] token = Retry();
        Assert.Equal(TokenResult.Retry, Check(Start, token, out ConnectionId original));
        Assert.Equal(Original, original);
    }

    [Theory]
    [InlineData("")]
    [InlineData("8394c8f03e5157080102030405060708090a0b0c")]
    public void Ids_of_all_lengths_fit(string id)
    {
        byte[] token = new byte[AddressTokens.MaxLength];
        token = token[.._tokens.WriteRetry(Start, new byte[AddressTokens.MaxAddressLength], Ids.Hex(id), Ids.Hex(id), token)];
        TokenResult result = _tokens.Check(Start, token, new byte[AddressTokens.MaxAddressLength], Host, Ids.Hex(id), out ConnectionId original);
        Assert.Equal(TokenResult.Retry, result);
        Assert.Equal(Ids.Hex(id), original);
    }

    [Fact]
    public void A_Retry_token_ends_after_ten_seconds_and_is_not_of_the_future()
    {
        byte[] token = Retry();
        Assert.Equal(TokenResult.Retry, Check(Start + TimeSpan.FromSeconds(10), token, out _));
        Assert.Equal(TokenResult.InvalidRetry, Check(Start + TimeSpan.FromSeconds(10) + TimeSpan.FromTicks(1), token, out ConnectionId original));
        Assert.True(original.IsEmpty);
        Assert.Equal(TokenResult.InvalidRetry, Check(Start - TimeSpan.FromTicks(1), token, out _));
    }

    [Fact]
    public void A_Retry_token_is_for_one_address_and_one_id()
    {
        byte[] token = Retry();
        byte[] otherPort = [192, 0, 2, 1, 0x12, 0x35];
        Assert.Equal(TokenResult.InvalidRetry, _tokens.Check(Start, token, otherPort, Host, RetrySource, out _));
        Assert.Equal(TokenResult.InvalidRetry, _tokens.Check(Start, token, Address, Host, Original, out _));
        Assert.Equal(TokenResult.InvalidRetry, _tokens.Check(Start, token, Address, Host, default, out _));
    }

    [Fact]
    public void A_token_of_NEW_TOKEN_is_valid_once_from_any_port()
    {
        byte[] token = New();
        byte[] otherPort = [192, 0, 2, 1, 0xff, 0xff];
        TimeSpan later = Start + TimeSpan.FromHours(23);
        Assert.Equal(TokenResult.NewToken, _tokens.Check(later, token, otherPort, Host, Original, out ConnectionId original));
        Assert.True(original.IsEmpty);
        Assert.Equal(TokenResult.InvalidNewToken, _tokens.Check(later, token, otherPort, Host, Original, out _));
    }

    [Fact]
    public void A_token_of_NEW_TOKEN_is_for_one_host_and_one_day()
    {
        byte[] token = New();
        Assert.Equal(TokenResult.InvalidNewToken, _tokens.Check(Start, token, Address, [192, 0, 2, 2], Original, out _));
        Assert.Equal(TokenResult.InvalidNewToken, Check(Start + TimeSpan.FromHours(24) + TimeSpan.FromTicks(1), token, out _));
        Assert.Equal(TokenResult.InvalidNewToken, Check(Start - TimeSpan.FromTicks(1), token, out _));

        // None of these used it up.
        Assert.Equal(TokenResult.NewToken, Check(Start + TimeSpan.FromHours(24), token, out _));
    }

    [Fact]
    public void No_two_tokens_of_NEW_TOKEN_are_alike_and_none_shows_its_time_or_address()
    {
        byte[] first = New(), second = New();
        Assert.NotEqual(first, second);
        Assert.Equal(first.Length, second.Length);
        int same = first.AsSpan(1).ToArray().Zip(second.AsSpan(1).ToArray()).Count(pair => pair.First == pair.Second);
        Assert.InRange(same, 0, 4);
        Assert.True(first.AsSpan().IndexOf(Host) < 0);
    }

    [Fact]
    public void One_kind_does_not_pass_for_the_other()
    {
        byte[] retry = Retry(), newToken = New();
        retry[0] = 2;
        newToken[0] = 1;
        Assert.NotEqual(TokenResult.NewToken, Check(Start, retry, out _));
        Assert.NotEqual(TokenResult.Retry, Check(Start, newToken, out _));
        for (int length = 0; length <= 20; length++)
        {
            // A Retry token of the length that the other kind has, whatever the id's length is.
            byte[] token = new byte[AddressTokens.MaxLength];
            token = token[.._tokens.WriteRetry(Start, Host, new ConnectionId(new byte[length]), default, token)];
            token[0] = 2;
            Assert.NotEqual(TokenResult.NewToken, _tokens.Check(Start, token, Host, Host, default, out _));
        }
    }

    [Fact]
    public void Another_key_makes_other_tokens()
    {
        using var other = new AddressTokens(Seeded.Bytes(813));
        Assert.Equal(TokenResult.InvalidRetry, other.Check(Start, Retry(), Address, Host, RetrySource, out _));
        Assert.Equal(TokenResult.InvalidNewToken, other.Check(Start, New(), Address, Host, Original, out _));
    }

    [Fact]
    public void A_key_that_is_kept_reads_the_tokens_of_before()
    {
        byte[] key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        using var before = new AddressTokens(key, Seeded.Bytes(1));
        using var after = new AddressTokens(key, Seeded.Bytes(2));
        byte[] token = new byte[AddressTokens.MaxLength];
        token = token[..before.WriteNewToken(Start, Host, token)];
        Assert.Equal(TokenResult.NewToken, after.Check(Start, token, Address, Host, Original, out _));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AddressTokens(key.AsSpan(1), Seeded.Bytes(1)));
    }

    [Fact]
    public void No_truncated_or_mutated_token_is_accepted()
    {
        byte[] retry = Retry(), newToken = New();
        int invalid = 0;
        IEnumerable<byte[]> bad =
            Mutations.Truncations(retry).Concat(Mutations.Truncations(newToken)).Concat(Mutations.Random([retry, newToken], seed: 8));
        foreach (byte[] token in bad)
        {
            if (token.AsSpan().SequenceEqual(retry) || token.AsSpan().SequenceEqual(newToken))
            {
                continue;
            }

            TokenResult result = Check(Start, token, out ConnectionId original);
            Assert.False(result is TokenResult.Retry or TokenResult.NewToken, $"{result}: {Convert.ToHexString(token)}");
            Assert.True(original.IsEmpty);
            invalid += result == TokenResult.Unknown ? 0 : 1;
        }

        // Had all been of an unknown kind, no tag would have been compared.
        Assert.InRange(invalid, Mutations.Count / 10, Mutations.Count);
        Assert.Equal(TokenResult.Retry, Check(Start, retry, out _));
        Assert.Equal(TokenResult.NewToken, Check(Start, newToken, out _));
    }

    [Fact]
    public void Every_bit_of_a_token_counts()
    {
        byte[][] tokens = [Retry(), New()];
        foreach (byte[] valid in tokens)
        {
            for (int bit = 0; bit < valid.Length * 8; bit++)
            {
                byte[] token = [.. valid];
                token[bit / 8] ^= (byte)(1 << (bit % 8));
                Assert.True(Check(Start, token, out _) is TokenResult.Unknown or TokenResult.InvalidRetry or TokenResult.InvalidNewToken);
            }
        }
    }

    [Fact]
    public void A_foreign_token_is_unknown()
    {
        Assert.Equal(TokenResult.Unknown, Check(Start, [], out _));
        Assert.Equal(TokenResult.Unknown, Check(Start, new byte[41], out _));
        Assert.Equal(TokenResult.Unknown, Check(Start, [1, .. new byte[200]], out _));
        Assert.Equal(TokenResult.Unknown, Check(Start, [1, .. new byte[8], 21, .. new byte[37]], out _));
    }

    [Fact]
    public void Nothing_is_allocated_for_strangers()
    {
        byte[] token = new byte[AddressTokens.MaxLength], forged = New();
        forged[^1] ^= 1;
        Allocations.AssertNone(() =>
        {
            int length = _tokens.WriteRetry(Start, Address, Original, RetrySource, token);
            _ = _tokens.Check(Start, token.AsSpan(0, length), Address, Host, RetrySource, out _);
            _ = _tokens.Check(Start, forged, Address, Host, RetrySource, out _);
            _ = _tokens.WriteNewToken(Start, Host, token);
        });
    }

    private TokenResult Check(TimeSpan now, ReadOnlySpan<byte> token, out ConnectionId original) =>
        _tokens.Check(now, token, Address, Host, RetrySource, out original);

    private byte[] Retry()
    {
        byte[] token = new byte[AddressTokens.MaxLength];
        return token[.._tokens.WriteRetry(Start, Address, Original, RetrySource, token)];
    }

    private byte[] New()
    {
        byte[] token = new byte[AddressTokens.MaxLength];
        return token[.._tokens.WriteNewToken(Start, Host, token)];
    }
}
