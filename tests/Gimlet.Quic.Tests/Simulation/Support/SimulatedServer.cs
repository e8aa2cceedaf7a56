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

    // By the id that the Retry gave; an endpoint keeps this in its token instead.
    private readonly Dictionary<ConnectionId, ConnectionId> _originals = [];

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

        bool isValidated = header.Token.SequenceEqual(_token) && _originals.ContainsKey(destination);
        if (_options.Retry && !isValidated)
        {
            SendRetry(path, header.Source, destination);
            return true;
        }

        var start = new ServerStart(
            destination,
            header.Source,
            isValidated ? _originals[destination] : destination,
            isValidated ? destination : null,
            isValidated);
        Routes.AddInitial(destination);
        Connection = ConnectionCore.Accept(now, path, _options.Server, _options.ServerTls, Routes, Random.NextBytes, start);
        Connection.HandleDatagram(now, path, ecn, datagram);
        if (Connection.Closed?.Kind == CloseKind.Abandoned)
        {
            // The Initial was not genuine: the endpoint forgets it.
            Connection.Dispose();
            Connection = null;
            Routes.RemoveInitial();
        }

        return true;
    }

    private void SendRetry(PathId path, in ConnectionId client, in ConnectionId destination)
    {
        var source = ConnectionId.Create(Random.NextBytes, SimulatedRoutes.IdLength);
        _originals.Add(source, destination);
        byte[] packet = new byte[RetryPacket.LengthOf(client, source, _token.Length)];
        int length = RetryPacket.Write(packet, client, source, _token, unusedBits: 0);
        using var integrity = new RetryIntegrity(_options.Server.Protection);
        integrity.WriteTag(destination, packet.AsSpan(0, length), packet.AsSpan(length));
        Retries++;
        SendOwn(path, packet);
    }
}
