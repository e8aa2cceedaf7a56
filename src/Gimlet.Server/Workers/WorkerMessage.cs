namespace Gimlet.Server.Workers;

/// <summary>What a worker said.</summary>
internal enum WorkerMessageKind
{
    /// <summary>Nothing that is known here; <see cref="WorkerMessage.Problem"/> says what it is.</summary>
    Unknown,
    RegisterPublicIp,
    UpdateUdpEndpoint,
    EchoRequest,
    ProvePeerId,
    ResumePairing,
    EndPairing,
}

/// <summary>
/// One message of a worker (docs/workers.md). Values are texts, whatever JSON kind they had: a string's content, and any other value as it was written; null where it
/// is missing or null.
/// </summary>
internal ref struct WorkerMessage
{
    public WorkerMessageKind Kind;

    /// <summary>Why the message is of no use, for the log.</summary>
    public string? Problem;

    public string? Ip;
    public string? UdpIp;
    public string? UdpPort;
    public string? PublicKey;
    public string? Signature;
    public string? PeerWorkerId;

    /// <summary>The payload of an echo as it was written; empty where there is none.</summary>
    public ReadOnlySpan<byte> Payload;
}
