using Gimlet.Quic.Protection;

namespace Gimlet.Quic;

/// <summary>How an endpoint behaves, apart from its connections.</summary>
public sealed record QuicEndpointOptions
{
    /// <summary>The secret that stateless reset tokens derive from, in bytes (RFC 9000 section 10.3.2).</summary>
    public const int StatelessResetKeyLength = 32;

    /// <summary>The clock and the timers.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// A file that TLS secrets are appended to in the format of SSLKEYLOGFILE; whoever reads it can read the connections. Null (default): none.
    /// The environment variable is not looked at on its own, because a library must not give secrets away for something that the application did
    /// not ask for: <c>KeyLogFile = Environment.GetEnvironmentVariable("SSLKEYLOGFILE")</c> does that.
    /// </summary>
    public string? KeyLogFile { get; init; }

    /// <summary>
    /// A directory that gets a qlog trace of each connection (JSON text sequences, which qvis shows): what was sent, received and lost, without
    /// contents or secrets. Made where it does not exist. Null (default): what the environment variable QLOGDIR says, if it says anything.
    /// </summary>
    public string? QlogDirectory { get; init; }

    /// <summary>
    /// What makes stateless resets survive a restart: a secret of 32 bytes. Empty (default): drawn anew, and connections of an earlier run of this
    /// program time out instead of being reset.
    /// </summary>
    public ReadOnlyMemory<byte> StatelessResetKey { get; init; }

    /// <summary>
    /// Answers to strangers per second (Version Negotiation, stateless reset, refusals): beyond that nobody is answered, so that no flood makes
    /// this endpoint work or send. A Retry does not count: it is the answer to a flood, and smaller than what asked for it.
    /// </summary>
    public int MaxAnswersPerSecond { get; init; } = 200;

    /// <summary>
    /// How long <see cref="QuicEndpoint.DisposeAsync"/> waits for connections to drain, at most: a CONNECTION_CLOSE that was lost is sent again to
    /// a peer that goes on sending. Three probe timeouts at 40 ms of round trip are 0.3 s.
    /// </summary>
    public TimeSpan ShutdownLinger { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>The receive buffer to ask the system for, in bytes; null keeps its default. Only for <see cref="QuicEndpoint.Bind"/>.</summary>
    public int? ReceiveBufferBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>The send buffer to ask the system for, in bytes; null keeps its default. Only for <see cref="QuicEndpoint.Bind"/>.</summary>
    public int? SendBufferBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Which implementation of packet protection.</summary>
    internal ProtectionChoice Protection { get; init; }

    /// <summary>Throws where a value makes no sense.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(TimeProvider, nameof(TimeProvider));
        if (KeyLogFile is { Length: 0 })
        {
            throw new ArgumentException($"{nameof(KeyLogFile)} is empty; null means none.", nameof(KeyLogFile));
        }

        if (QlogDirectory is { Length: 0 })
        {
            throw new ArgumentException($"{nameof(QlogDirectory)} is empty; null means what QLOGDIR says.", nameof(QlogDirectory));
        }

        if (StatelessResetKey.Length is not (0 or StatelessResetKeyLength))
        {
            throw new ArgumentException(
                $"{nameof(StatelessResetKey)} has {StatelessResetKey.Length} bytes; it must have {StatelessResetKeyLength}, or none.",
                nameof(StatelessResetKey));
        }

        OptionCheck.Range(MaxAnswersPerSecond, 0, 1_000_000, nameof(MaxAnswersPerSecond));
        OptionCheck.Range(ShutdownLinger, TimeSpan.Zero, TimeSpan.FromMinutes(1), nameof(ShutdownLinger));
        if (ReceiveBufferBytes is { } receive)
        {
            OptionCheck.Range(receive, 1, int.MaxValue, nameof(ReceiveBufferBytes));
        }

        if (SendBufferBytes is { } send)
        {
            OptionCheck.Range(send, 1, int.MaxValue, nameof(SendBufferBytes));
        }
    }
}
