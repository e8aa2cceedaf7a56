using System.Buffers.Binary;
using System.Security.Cryptography;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>What a client's token is.</summary>
internal enum TokenResult
{
    /// <summary>Not a token of this endpoint, or of before its key: as if there were none.</summary>
    Unknown,

    /// <summary>Of our Retry packet: the client has its address.</summary>
    Retry,

    /// <summary>
    /// Of a Retry packet, but not valid. RFC 9000 section 8.1.2: "the server SHOULD immediately close (Section 10.2) the connection with an
    /// INVALID_TOKEN error", because the client will not accept another Retry.
    /// </summary>
    InvalidRetry,

    /// <summary>Of our NEW_TOKEN frame, for the first time: the client has its address.</summary>
    NewToken,

    /// <summary>
    /// Of a NEW_TOKEN frame, but not valid. RFC 9000 section 8.1.3: "the server SHOULD proceed as if the client did not have a validated
    /// address, including potentially sending a Retry packet."
    /// </summary>
    InvalidNewToken,
}

/// <summary>
/// Makes and checks address validation tokens (RFC 9000 sections 8.1.2 to 8.1.4) without remembering anything of strangers. A Retry token has the
/// issue time and the client's first Destination Connection ID in the clear, which everyone on the path has seen; of a NEW_TOKEN token
/// the time is encrypted, so that nobody can tell which connection it came from. All else is only authenticated: whoever checks knows it. Not
/// thread-safe.
/// </summary>
/// <remarks>
/// HMAC-SHA256 and nothing more, because the answer to a flood must cost little: one call for a Retry token, two for the other, no allocation.
/// The clock may have any origin as long as the key is the process's own; for a key that is kept it must be one that goes on, such as the Unix time.
/// </remarks>
internal sealed class AddressTokens : IDisposable
{
    /// <summary>The key in bytes.</summary>
    public const int KeyLength = 32;

    /// <summary>The longest token that is made, in bytes.</summary>
    public const int MaxLength = 1 + TimeLength + 1 + ConnectionId.MaxLength + TagLength;

    /// <summary>The longest form of an address, in bytes: IPv6, port and scope, or whatever names a relayed client.</summary>
    public const int MaxAddressLength = 64;

    /// <summary>
    /// RFC 9000 section 8.1.4: Retry tokens are "only accepted for a short time, as they are returned immediately by clients". Loss and three
    /// timeouts of a client take less; quic-go takes 10 s as well.
    /// </summary>
    public static readonly TimeSpan RetryLifetime = TimeSpan.FromSeconds(10);

    /// <summary>A client that comes back on the next day saves a round trip; quic-go's default is a day, too.</summary>
    public static readonly TimeSpan NewTokenLifetime = TimeSpan.FromHours(24);

    private const byte RetryKind = 1;
    private const byte NewTokenKind = 2;
    private const byte PadLabel = 3;
    private const int TimeLength = sizeof(long);
    private const int NonceLength = 16;
    private const int NewTokenLength = 1 + NonceLength + TimeLength + TagLength;

    // RFC 9000 section 8.1.4: "An address validation token MUST be difficult to guess."
    private const int TagLength = 16;

    // The longest that is authenticated: a Retry token without its tag, the id of the Retry packet, the address; two lengths.
    private const int MaxInput = MaxLength + 1 + ConnectionId.MaxLength + 1 + MaxAddressLength;

    private readonly SecretBytes _key;
    private readonly Action<Span<byte>> _random;
    private readonly ReplayFilter _used = new();

    /// <summary>Takes a key.</summary>
    /// <param name="key">32 bytes.</param>
    /// <param name="random">Fills a span with random bytes.</param>
    public AddressTokens(ReadOnlySpan<byte> key, Action<Span<byte>> random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, KeyLength, nameof(key));
        _key = new SecretBytes(key);
        _random = random;
    }

    /// <summary>Draws a key.</summary>
    public AddressTokens(Action<Span<byte>> random)
    {
        _key = new SecretBytes(KeyLength);
        random(_key.Span);
        _random = random;
    }

    /// <summary>Makes the token of a Retry packet.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="address">The client's address with its port, 64 bytes at most.</param>
    /// <param name="originalDestination">The Destination Connection ID of the client's Initial packet.</param>
    /// <param name="retrySource">The Source Connection ID of the Retry packet.</param>
    /// <param name="token">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The length.</returns>
    public int WriteRetry(
        TimeSpan now, ReadOnlySpan<byte> address, in ConnectionId originalDestination, in ConnectionId retrySource, Span<byte> token)
    {
        var writer = new WireWriter(token);
        writer.WriteByte(RetryKind);
        BinaryPrimitives.WriteInt64BigEndian(writer.Reserve(TimeLength), now.Ticks);
        writer.WriteByte((byte)originalDestination.Length);
        originalDestination.CopyTo(writer.Reserve(originalDestination.Length));
        int head = writer.Position;
        Authenticate(token[..head], retrySource, address, writer.Reserve(TagLength));
        return writer.Position;
    }

    /// <summary>Makes the token of a NEW_TOKEN frame; no two are the same.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="host">The client's address without its port, which will be another one next time; 64 bytes at most.</param>
    /// <param name="token">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The length.</returns>
    public int WriteNewToken(TimeSpan now, ReadOnlySpan<byte> host, Span<byte> token)
    {
        token[0] = NewTokenKind;
        Span<byte> nonce = token.Slice(1, NonceLength);
        _random(nonce);
        BinaryPrimitives.WriteInt64BigEndian(token[(1 + NonceLength)..], now.Ticks ^ Pad(nonce));
        int head = NewTokenLength - TagLength;
        Authenticate(token[..head], retrySource: default, host, token.Slice(head, TagLength));
        return NewTokenLength;
    }

    /// <summary>Checks the token of a client's Initial packet. A token of NEW_TOKEN is used up by it.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="token">The Token field; may be anything.</param>
    /// <param name="address">The client's address with its port, as in <see cref="WriteRetry"/>.</param>
    /// <param name="host">The client's address without its port, as in <see cref="WriteNewToken"/>.</param>
    /// <param name="destination">The Initial packet's Destination Connection ID: after a Retry, the id that the Retry gave.</param>
    /// <param name="originalDestination">Of <see cref="TokenResult.Retry"/>: the Destination Connection ID of the client's first Initial.</param>
    public TokenResult Check(
        TimeSpan now,
        ReadOnlySpan<byte> token,
        ReadOnlySpan<byte> address,
        ReadOnlySpan<byte> host,
        in ConnectionId destination,
        out ConnectionId originalDestination)
    {
        originalDestination = default;
        if (token.Length > 1 + TimeLength && token[0] == RetryKind && token.Length == RetryLength(token[1 + TimeLength]))
        {
            return CheckRetry(now, token, address, destination, out originalDestination);
        }

        if (token.Length == NewTokenLength && token[0] == NewTokenKind)
        {
            return CheckNewToken(now, token, host);
        }

        return TokenResult.Unknown;
    }

    public void Dispose() => _key.Dispose();

    private static int RetryLength(byte idLength) =>
        idLength <= ConnectionId.MaxLength ? 1 + TimeLength + 1 + idLength + TagLength : -1;

    private static bool IsFresh(TimeSpan now, TimeSpan issuedAt, TimeSpan lifetime) => issuedAt <= now && now - issuedAt <= lifetime;

    private TokenResult CheckRetry(
        TimeSpan now, ReadOnlySpan<byte> token, ReadOnlySpan<byte> address, in ConnectionId destination, out ConnectionId originalDestination)
    {
        originalDestination = default;
        var issuedAt = new TimeSpan(BinaryPrimitives.ReadInt64BigEndian(token[1..]));
        if (!IsAuthentic(token, destination, address) || !IsFresh(now, issuedAt, RetryLifetime))
        {
            return TokenResult.InvalidRetry;
        }

        originalDestination = new ConnectionId(token[(1 + TimeLength + 1)..^TagLength]);
        return TokenResult.Retry;
    }

    private TokenResult CheckNewToken(TimeSpan now, ReadOnlySpan<byte> token, ReadOnlySpan<byte> host)
    {
        if (!IsAuthentic(token, retrySource: default, host))
        {
            return TokenResult.InvalidNewToken;
        }

        ReadOnlySpan<byte> nonce = token.Slice(1, NonceLength);
        var issuedAt = new TimeSpan(BinaryPrimitives.ReadInt64BigEndian(token[(1 + NonceLength)..]) ^ Pad(nonce));

        // RFC 9000 section 8.1.4: tokens of NEW_TOKEN frames "SHOULD NOT be accepted multiple times."
        return IsFresh(now, issuedAt, NewTokenLifetime) && _used.TryUse(BinaryPrimitives.ReadUInt64BigEndian(nonce), issuedAt)
            ? TokenResult.NewToken
            : TokenResult.InvalidNewToken;
    }

    private bool IsAuthentic(ReadOnlySpan<byte> token, in ConnectionId retrySource, ReadOnlySpan<byte> address)
    {
        Span<byte> tag = stackalloc byte[TagLength];
        Authenticate(token[..^TagLength], retrySource, address, tag);
        return CryptographicOperations.FixedTimeEquals(tag, token[^TagLength..]);
    }

    private void Authenticate(ReadOnlySpan<byte> head, in ConnectionId retrySource, ReadOnlySpan<byte> address, Span<byte> tag)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(address.Length, MaxAddressLength, nameof(address));

        // The head's first byte is the kind, and its length follows from what it has: so no two different inputs are the same bytes.
        var writer = new WireWriter(stackalloc byte[MaxInput]);
        writer.WriteBytes(head);
        writer.WriteByte((byte)retrySource.Length);
        retrySource.CopyTo(writer.Reserve(retrySource.Length));
        writer.WriteByte((byte)address.Length);
        writer.WriteBytes(address);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key.Span, writer.Written, hash);
        hash[..TagLength].CopyTo(tag);
    }

    // What the issue time is encrypted with: never the same twice, as the nonce is not.
    private long Pad(ReadOnlySpan<byte> nonce)
    {
        Span<byte> input = stackalloc byte[1 + NonceLength];
        input[0] = PadLabel;
        nonce.CopyTo(input[1..]);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key.Span, input, hash);
        return BinaryPrimitives.ReadInt64BigEndian(hash);
    }
}
