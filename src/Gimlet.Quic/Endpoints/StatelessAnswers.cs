using Gimlet.Quic.Connections;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>
/// What an endpoint says to strangers, nothing of which is remembered. The parts are for one thread at a time, and share a bound on how many of
/// them go out; a lock makes them safe from any: strangers are not the fast path.
/// </summary>
internal sealed class StatelessAnswers : IDisposable
{
    private readonly Lock _gate = new();
    private bool _isDisposed;
    private readonly IProtectionProvider _protection;
    private readonly AddressTokens _tokens;
    private readonly RetryAnswer _retry;
    private readonly StatelessReset _resets;
    private readonly VersionNegotiationAnswer _versions;
    private AnswerLimit _limit;

    /// <summary>Begins.</summary>
    /// <param name="protection">Protects what is sealed.</param>
    /// <param name="resetKey">The key of stateless reset tokens; empty: drawn.</param>
    /// <param name="perSecond">Answers per second, Retry packets not counted.</param>
    /// <param name="random">Fills a span with random bytes; safe from any thread.</param>
    public StatelessAnswers(IProtectionProvider protection, ReadOnlySpan<byte> resetKey, int perSecond, Action<Span<byte>> random)
    {
        _protection = protection;
        _tokens = new AddressTokens(random);
        _retry = new RetryAnswer(_tokens, protection, random, ConnectionCore.LocalIdLength);
        _resets = resetKey.IsEmpty ? new StatelessReset(random) : new StatelessReset(resetKey, random);
        _versions = new VersionNegotiationAnswer(random);
        _limit = new AnswerLimit(perSecond);
    }

    /// <summary>The reset token of one of our ids.</summary>
    public StatelessResetToken ResetTokenFor(in ConnectionId id) => _resets.TokenFor(id);

    /// <summary>The longest answer in bytes.</summary>
    public const int MaxLength = VersionNegotiationAnswer.MaxLength;

    /// <summary>A token for the next connection of a client that has proven its address.</summary>
    public byte[] MakeNewToken(TimeSpan now, ReadOnlySpan<byte> host)
    {
        Span<byte> token = stackalloc byte[AddressTokens.MaxLength];
        lock (_gate)
        {
            return token[.._tokens.WriteNewToken(now, host, token)].ToArray();
        }
    }

    /// <summary>Checks a client's token.</summary>
    public TokenResult Check(TimeSpan now, in LongHeader initial, in StrangerAddress address, out ConnectionId original)
    {
        if (initial.Token.IsEmpty)
        {
            original = default;
            return TokenResult.Unknown;
        }

        lock (_gate)
        {
            if (_isDisposed)
            {
                original = default;
                return TokenResult.Unknown;
            }

            return _tokens.Check(now, initial.Token, address.WithPort, address.Host, initial.Destination, out original);
        }
    }

    /// <summary>Writes a Retry. It is not counted: a flood is what it is for, and it is a tenth of what it answers.</summary>
    /// <returns>0 when the endpoint was disposed of.</returns>
    public int WriteRetry(TimeSpan now, in LongHeader initial, in StrangerAddress address, Span<byte> answer)
    {
        lock (_gate)
        {
            return _isDisposed ? 0 : _retry.Write(now, initial.Source, initial.Destination, address.WithPort, answer);
        }
    }

    /// <summary>Writes the close of a connection that does not begin.</summary>
    /// <returns>0 when there were too many answers.</returns>
    public int WriteRefusal(TimeSpan now, in LongHeader initial, TransportErrorCode code, Span<byte> answer)
    {
        lock (_gate)
        {
            if (_isDisposed || !_limit.TryTake(now))
            {
                return 0;
            }
        }

        return RefusalAnswer.Write(answer, _protection, initial.Destination, initial.Source, code);
    }

    /// <summary>Writes a Version Negotiation.</summary>
    /// <returns>0 when the datagram gets none, or there were too many answers.</returns>
    public int WriteVersionNegotiation(TimeSpan now, ReadOnlySpan<byte> datagram, Span<byte> answer)
    {
        lock (_gate)
        {
            return !_isDisposed
                && datagram.Length >= VersionNegotiationAnswer.MinDatagramLength
                && _limit.TryTake(now)
                && _versions.TryWrite(now, datagram, answer, out int length) ? length : 0;
        }
    }

    /// <summary>Writes a stateless reset.</summary>
    /// <returns>0 when the datagram gets none, or there were too many answers.</returns>
    public int WriteReset(TimeSpan now, int receivedLength, ReadOnlySpan<byte> id, Span<byte> answer)
    {
        lock (_gate)
        {
            return !_isDisposed
                && receivedLength > StatelessReset.MinLength
                && _limit.TryTake(now)
                && _resets.TryWrite(now, receivedLength, new ConnectionId(id), answer, out int length) ? length : 0;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _retry.Dispose();
            _resets.Dispose();
            _tokens.Dispose();
        }
    }
}

/// <summary>What identifies where a stranger is, as bytes.</summary>
internal readonly ref struct StrangerAddress(ReadOnlySpan<byte> withPort, int hostLength)
{
    /// <summary>All of it.</summary>
    public ReadOnlySpan<byte> WithPort { get; } = withPort;

    /// <summary>What stays the same from one connection to the next.</summary>
    public ReadOnlySpan<byte> Host { get; } = withPort[..hostLength];
}
