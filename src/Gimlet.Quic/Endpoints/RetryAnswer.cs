using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>
/// Asks a client to show that it has its address (RFC 9000 section 8.1.2), with a Retry packet: nothing is remembered. One per endpoint, for one
/// thread at a time.
/// </summary>
internal sealed class RetryAnswer : IDisposable
{
    /// <summary>The longest answer, in bytes.</summary>
    public const int MaxLength =
        1 + sizeof(uint) + (2 * (1 + ConnectionId.MaxLength)) + AddressTokens.MaxLength + RetryPacket.TagLength;

    private readonly AddressTokens _tokens;
    private readonly RetryIntegrity _integrity;
    private readonly Action<Span<byte>> _random;
    private readonly int _idLength;

    /// <summary>Begins.</summary>
    /// <param name="tokens">Where the token comes from; not owned.</param>
    /// <param name="provider">What makes the Retry Integrity Tag.</param>
    /// <param name="random">Fills a span with random bytes.</param>
    /// <param name="idLength">The length of the endpoint's connection ids, at least 8 bytes.</param>
    public RetryAnswer(AddressTokens tokens, IProtectionProvider provider, Action<Span<byte>> random, int idLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(idLength, ConnectionId.MinInitialLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(idLength, ConnectionId.MaxLength);
        _tokens = tokens;
        _integrity = new RetryIntegrity(provider);
        _random = random;
        _idLength = idLength;
    }

    /// <summary>
    /// Writes the answer to a client's Initial packet that has no token of a Retry. RFC 9000 section 17.2.5.1: "A server MUST NOT send more than one
    /// Retry packet in response to a single UDP datagram."
    /// </summary>
    /// <param name="now">The clock.</param>
    /// <param name="source">The packet's Source Connection ID.</param>
    /// <param name="destination">The packet's Destination Connection ID.</param>
    /// <param name="address">The client's address with its port.</param>
    /// <param name="answer">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The length.</returns>
    public int Write(TimeSpan now, in ConnectionId source, in ConnectionId destination, ReadOnlySpan<byte> address, Span<byte> answer)
    {
        // RFC 9000 section 17.2.5.1: "This value MUST NOT be equal to the Destination Connection ID field of the packet sent by the client."
        ConnectionId server = ConnectionId.Create(_random, _idLength);
        while (server == destination)
        {
            server = ConnectionId.Create(_random, _idLength);
        }

        Span<byte> unusedBits = stackalloc byte[1];
        _random(unusedBits);
        Span<byte> token = stackalloc byte[AddressTokens.MaxLength];
        token = token[.._tokens.WriteRetry(now, address, destination, server, token)];
        int length = RetryPacket.Write(answer, source, server, token, unusedBits[0]);
        _integrity.WriteTag(destination, answer[..length], answer[length..]);
        return length + RetryPacket.TagLength;
    }

    public void Dispose() => _integrity.Dispose();
}
