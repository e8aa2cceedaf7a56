using System.Diagnostics.CodeAnalysis;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>
/// Finds the connection that a datagram is for, and decides on the datagrams of strangers (RFC 9000 section 5.2): no socket, no clock, no task.
/// Safe from any thread; finding a connection takes no lock.
/// </summary>
/// <typeparam name="T">The connection.</typeparam>
internal sealed class EndpointCore<T> : IDisposable
    where T : class
{
    private readonly StatelessAnswers _answers;
    private readonly Action<Span<byte>> _random;
    private volatile ServerLimits? _server;

    /// <summary>Makes an endpoint without connections, which does not serve.</summary>
    /// <param name="protection">Protects what is sealed without a connection.</param>
    /// <param name="resetKey">The key of stateless reset tokens; empty: drawn.</param>
    /// <param name="answersPerSecond">Answers to strangers per second, Retry packets not counted.</param>
    /// <param name="random">Fills a span with random bytes; safe from any thread.</param>
    public EndpointCore(IProtectionProvider protection, ReadOnlySpan<byte> resetKey, int answersPerSecond, Action<Span<byte>> random)
    {
        _answers = new StatelessAnswers(protection, resetKey, answersPerSecond, random);
        _random = random;
    }

    /// <summary>Where datagrams go.</summary>
    public RouteTable<T> Routes { get; } = new();

    /// <summary>How many connections there are.</summary>
    public Admission Admission { get; } = new();

    /// <summary>Serves, or with null no longer.</summary>
    public void SetServer(ServerLimits? limits) => _server = limits;

    /// <summary>Makes an id that leads to a connection, and its stateless reset token.</summary>
    public ConnectionId Issue(T connection, out StatelessResetToken token)
    {
        ConnectionId id = Routes.Issue(connection, _random);
        token = _answers.ResetTokenFor(id);
        return id;
    }

    /// <summary>A token for the next connection of a client at an address that it has proven (RFC 9000 section 8.1.3).</summary>
    /// <param name="now">The clock.</param>
    /// <param name="host">The address without its port.</param>
    public byte[] MakeNewToken(TimeSpan now, ReadOnlySpan<byte> host) => _answers.MakeNewToken(now, host);

    /// <summary>Finds the connection of a datagram by the Destination Connection ID of its first packet.</summary>
    public bool TryRoute(ReadOnlySpan<byte> datagram, [NotNullWhen(true)] out T? connection)
    {
        if (datagram.Length > ConnectionCore.LocalIdLength && !HeaderBits.IsLong(datagram[0]))
        {
            return Routes.TryFind(datagram.Slice(1, ConnectionCore.LocalIdLength), out connection);
        }

        connection = null;
        return InvariantHeader.TryReadLong(datagram, out InvariantHeader header) && Routes.TryFind(header.DestinationConnectionId, out connection);
    }

    /// <summary>Decides on a datagram for which <see cref="TryRoute"/> found nothing.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="datagram">The datagram.</param>
    /// <param name="address">Where it came from.</param>
    /// <param name="answer">Room for <see cref="StatelessAnswers.MaxLength"/> bytes.</param>
    /// <param name="mayBegin">Whether a connection may begin from there.</param>
    public StrangerVerdict<T> HandleStranger(
        TimeSpan now, ReadOnlySpan<byte> datagram, in StrangerAddress address, Span<byte> answer, bool mayBegin = true)
    {
        if (!InvariantHeader.TryRead(datagram, ConnectionCore.LocalIdLength, out InvariantHeader header))
        {
            return StrangerVerdict<T>.Drop(DropReason.Malformed);
        }

        if (header.IsLong && !mayBegin)
        {
            return StrangerVerdict<T>.Drop(DropReason.NotInvited);
        }

        return header.IsLong ? HandleLong(now, datagram, header, address, answer) : HandleShort(now, datagram, header, answer);
    }

    public void Dispose() => _answers.Dispose();

    private static StrangerVerdict<T> AnswerOrDrop(AnswerKind kind, int length, DropReason otherwise) =>
        length > 0 ? StrangerVerdict<T>.Answer(kind, length) : StrangerVerdict<T>.Drop(otherwise);

    private StrangerVerdict<T> HandleShort(TimeSpan now, ReadOnlySpan<byte> datagram, in InvariantHeader header, Span<byte> answer)
    {
        // RFC 9000 section 10.3: a stateless reset has at least 21 bytes, the last 16 of them its token.
        if (datagram.Length >= StatelessReset.MinLength
            && Routes.TryFind(new StatelessResetToken(datagram[^StatelessResetToken.Length..]), out T? connection))
        {
            return new StrangerVerdict<T>(StrangerAction.Reset, Connection: connection);
        }

        if (!HeaderBits.IsFixed(datagram[0]) || datagram.Length <= StatelessReset.MinLength)
        {
            return StrangerVerdict<T>.Drop(DropReason.NoConnection);
        }

        int length = _answers.WriteReset(now, datagram.Length, header.DestinationConnectionId, answer);
        return AnswerOrDrop(AnswerKind.StatelessReset, length, DropReason.AnswerLimit);
    }

    private StrangerVerdict<T> HandleLong(
        TimeSpan now, ReadOnlySpan<byte> datagram, in InvariantHeader header, in StrangerAddress address, Span<byte> answer)
    {
        if (header.Version == QuicVersion.Negotiation)
        {
            return StrangerVerdict<T>.Drop(DropReason.NoConnection);
        }

        // RFC 9000 section 6: only a server sends Version Negotiation.
        if (_server is not { } server)
        {
            return StrangerVerdict<T>.Drop(DropReason.NotServing);
        }

        if (header.Version != QuicVersion.Version1)
        {
            if (datagram.Length < VersionNegotiationAnswer.MinDatagramLength)
            {
                return StrangerVerdict<T>.Drop(DropReason.UnknownVersion);
            }

            int length = _answers.WriteVersionNegotiation(now, datagram, answer);
            return AnswerOrDrop(AnswerKind.VersionNegotiation, length, DropReason.AnswerLimit);
        }

        if (!LongHeader.TryRead(datagram, out LongHeader packet))
        {
            return StrangerVerdict<T>.Drop(DropReason.Malformed);
        }

        // Handshake packets of no connection are late; 0-RTT is not offered, so nobody sends it in front of its Initial.
        return packet.Type == PacketType.Initial
            ? HandleInitial(now, datagram.Length, packet, server, address, answer)
            : StrangerVerdict<T>.Drop(DropReason.NoConnection);
    }

    private StrangerVerdict<T> HandleInitial(
        TimeSpan now, int datagramLength, in LongHeader packet, ServerLimits server, in StrangerAddress address, Span<byte> answer)
    {
        // RFC 9000 section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a payload that is smaller than the
        // smallest allowed maximum datagram size of 1200 bytes."
        if (datagramLength < TransportParameters.MinMaxUdpPayloadSize)
        {
            return StrangerVerdict<T>.Drop(DropReason.TooSmall);
        }

        // RFC 9000 section 7.2: a client's first id "MUST be at least 8 bytes in length"; after a Retry it is ours.
        if (packet.Destination.Length < ConnectionId.MinInitialLength)
        {
            return StrangerVerdict<T>.Drop(DropReason.Malformed);
        }

        TokenResult token = _answers.Check(now, packet, address, out ConnectionId original);
        bool isRetried = token == TokenResult.Retry;
        bool isValidated = isRetried || token == TokenResult.NewToken;
        if (token == TokenResult.InvalidRetry)
        {
            // RFC 9000 section 8.1.2: the client would not accept another Retry, and must not wait for its timeout.
            return Refuse(now, packet, TransportErrorCode.InvalidToken, DropReason.InvalidToken, answer);
        }

        if (server.IsQueueFull())
        {
            return Refuse(now, packet, TransportErrorCode.ConnectionRefused, DropReason.AnswerLimit, answer);
        }

        if (!isValidated && Admission.HalfOpen > server.RetryThreshold)
        {
            int length = _answers.WriteRetry(now, packet, address, answer);
            return length > 0 ? StrangerVerdict<T>.Answer(AnswerKind.Retry, length) : StrangerVerdict<T>.Drop(DropReason.AnswerLimit);
        }

        switch (Admission.TryBeginHandshake(server))
        {
            case AdmissionResult.TooManyHalfOpen:
                return StrangerVerdict<T>.Drop(DropReason.HalfOpenLimit);
            case AdmissionResult.TooManyConnections:
                return Refuse(now, packet, TransportErrorCode.ConnectionRefused, DropReason.AnswerLimit, answer);
            default:
                var start = new ServerStart(
                    packet.Destination,
                    packet.Source,
                    isRetried ? original : packet.Destination,
                    isRetried ? packet.Destination : null,
                    isValidated);
                return new StrangerVerdict<T>(StrangerAction.Accept, Start: start);
        }
    }

    private StrangerVerdict<T> Refuse(TimeSpan now, in LongHeader packet, TransportErrorCode code, DropReason otherwise, Span<byte> answer) =>
        AnswerOrDrop(AnswerKind.Refusal, _answers.WriteRefusal(now, packet, code, answer), otherwise);
}
