using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>The end that is dialled: makes its connection of the client's first Initial, after a Retry where the test wants one.</summary>
internal sealed class SimulatedServer : SimulatedPeer
{
    private readonly PairOptions _options;
    private readonly byte[] _token = new byte[24];
    private ConnectionId _original;
    private ConnectionId _retrySource;

    public SimulatedServer(int seed, PairOptions options)
        : base(EndpointRole.Server, seed)
    {
        _options = options;
        Random.NextBytes(_token);
    }

    /// <summary>How many Retry packets were sent.</summary>
    public int Retries { get; private set; }

    /// <inheritdoc/>
    protected override bool HandleUnknown(
        TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram, bool isLong, ConnectionId destination)
    {
        // RFC 9000 section 14.1: "A server MUST discard an Initial packet that is carried in a UDP datagram with a payload that is smaller than the
        // smallest allowed maximum datagram size of 1200 bytes."
        if (AnswersWithReset
            || Connection is not null
            || datagram.Length < TransportParameters.MinMaxUdpPayloadSize
            || destination.Length < ConnectionId.MinInitialLength
            || !LongHeader.TryRead(datagram, out LongHeader header)
            || header.Type != PacketType.Initial)
        {
            return base.HandleUnknown(now, path, ecn, datagram, isLong, destination);
        }

        bool isValidated = header.Token.SequenceEqual(_token) && destination == _retrySource;
        if (_options.Retry && !isValidated)
        {
            SendRetry(path, header.Source, destination);
            return true;
        }

        var start = new ServerStart(
            destination,
            header.Source,
            isValidated ? _original : destination,
            isValidated ? _retrySource : null,
            isValidated);
        Routes.AddInitial(destination);
        Connection = ConnectionCore.Accept(now, path, _options.Server, _options.ServerTls, Routes, Random.NextBytes, start);
        Connection.HandleDatagram(now, path, ecn, datagram);
        return true;
    }

    private void SendRetry(PathId path, in ConnectionId client, in ConnectionId destination)
    {
        // The same answer to the same Initial sent again; an endpoint keeps the original id in its token instead.
        if (_original != destination)
        {
            _original = destination;
            _retrySource = ConnectionId.Create(Random.NextBytes, SimulatedRoutes.IdLength);
        }

        byte[] packet = new byte[RetryPacket.LengthOf(client, _retrySource, _token.Length)];
        int length = RetryPacket.Write(packet, client, _retrySource, _token, unusedBits: 0);
        using var integrity = new RetryIntegrity(_options.Server.Protection);
        integrity.WriteTag(destination, packet.AsSpan(0, length), packet.AsSpan(length));
        Retries++;
        SendOwn(path, packet);
    }
}
