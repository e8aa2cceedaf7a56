using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <summary>Our transport parameters, from the settings (RFC 9000 section 18.2).</summary>
internal static class LocalParameters
{
    /// <summary>
    /// How many of the peer's ids we keep: a path each, some spare. docs/protocol.md section 5 asks for 8 at least; more would be work for free to
    /// whoever retires them in a loop (CVE-2024-22189).
    /// </summary>
    public const int ActiveConnectionIdLimit = 8;

    /// <summary>Units of 8 microseconds, the default: finer than any clock of a network.</summary>
    public const int AckDelayExponent = (int)TransportParameters.DefaultAckDelayExponent;

    /// <summary>The default, RFC 9000 section 18.2.</summary>
    public static TimeSpan MaxAckDelay { get; } = TimeSpan.FromMilliseconds(TransportParameters.DefaultMaxAckDelay);

    /// <summary>What receives a DATAGRAM frame: any that a packet holds (RFC 9221 section 3 recommends 65535).</summary>
    public const int MaxDatagramFrameSize = 65535;

    /// <summary>Makes the parameters of a client.</summary>
    public static TransportParameters OfClient(ConnectionSettings settings, in ConnectionId source) => settings.ToStreamSettings().AddTo(new()
    {
        InitialSourceConnectionId = source,
        MaxIdleTimeout = (long)settings.IdleTimeout.TotalMilliseconds,
        MaxUdpPayloadSize = TransportParameters.DefaultMaxUdpPayloadSize,
        DisableActiveMigration = settings.DisableActiveMigration,
        ActiveConnectionIdLimit = ActiveConnectionIdLimit,
        MaxDatagramFrameSize = settings.DatagramQueueBytes > 0 ? MaxDatagramFrameSize : 0,
        GimletPaths = settings.GimletPaths ? TransportParameters.CurrentGimletPaths : 0,
    });

    /// <summary>Makes the parameters of a server.</summary>
    public static TransportParameters OfServer(
        ConnectionSettings settings, in ConnectionId source, in StatelessResetToken token, in ServerStart start) =>
        OfClient(settings, source) with
        {
            OriginalDestinationConnectionId = start.OriginalDestination,
            RetrySourceConnectionId = start.RetrySource,
            StatelessResetToken = token,
        };

    /// <summary>Encodes parameters.</summary>
    public static ReadOnlyMemory<byte> Encode(TransportParameters parameters, EndpointRole role, Action<Span<byte>> random)
    {
        Span<byte> buffer = stackalloc byte[TransportParameterWriter.MaxLength];
        return buffer[..TransportParameterWriter.Write(buffer, parameters, role, random)].ToArray();
    }
}
