namespace Gimlet.Signalling;

/// <summary>Constants of the signalling connection (docs/protocol.md section 2).</summary>
internal static class SignalProtocol
{
    public const string Path = "/v1/node";

    public const string Subprotocol = "gimlet.v1";

    /// <summary>A registration with 64 candidates and a proof each is under 8 KiB; twice that leaves room for fields to come.</summary>
    public const int MaxMessageBytes = 16 * 1024;

    /// <summary>More candidates than this are cut: a host with 32 interfaces and both families has 64.</summary>
    public const int MaxCandidates = 64;

    public const int NonceLength = 32;

    /// <summary>Bytes of the number of a server's process: no two are the same.</summary>
    public const int ServerInstanceLength = 16;

    public const int CallIdLength = 16;

    /// <summary>ALPN names have one byte for their length (RFC 7301 section 3.1).</summary>
    public const int MaxProtocolLength = 255;
}

/// <summary>Why a call was refused; the kind strings are stable.</summary>
internal static class RejectReason
{
    public const string Offline = "offline";
    public const string Busy = "busy";
    public const string Refused = "refused";
    public const string RateLimited = "rate-limited";
    public const string Unsupported = "unsupported";
    public const string Self = "self";
    public const string BadRequest = "bad-request";
    public const string TimedOut = "timed-out";

    /// <summary>The callee is calling the caller for the same protocol, and its call goes on.</summary>
    public const string Glare = "glare";

    /// <summary>Only of relayed datagrams: the destination has not admitted the sender.</summary>
    public const string NoCall = "no-call";
}

/// <summary>The limits that a <see cref="LimitedMessage"/> names.</summary>
internal static class RelayLimit
{
    public const string BytesPerSecond = "relay-bytes-per-second";

    /// <summary>Binary frames per second of one sender, however small.</summary>
    public const string FramesPerSecond = "relay-frames-per-second";
    public const string Queue = "relay-queue";
}

/// <summary>Why the server refused a message or a session; also the reason of the close frame.</summary>
internal static class ErrorCode
{
    public const string Unauthorised = "unauthorised";
    public const string BadSignature = "bad-signature";
    public const string WrongHost = "wrong-host";
    public const string MessageTooLarge = "message-too-large";
    public const string RateLimited = "rate-limited";
    public const string TooManyNodes = "too-many-nodes";
    public const string TooManyFromAddress = "too-many-from-address";
    public const string Replaced = "replaced";
    public const string ShuttingDown = "shutting-down";
    public const string BadMessage = "bad-message";
    public const string RegistrationTimeout = "registration-timeout";
    public const string KeepAliveTimeout = "keep-alive-timeout";
    public const string TooSlow = "too-slow";
}

/// <summary>Close codes beyond RFC 6455 section 7.4.1.</summary>
internal static class SignalCloseCode
{
    public const int GoingAway = 1001;
    public const int PolicyViolation = 1008;
    public const int MessageTooBig = 1009;
    public const int TryAgainLater = 1013;
    public const int Replaced = 4001;
}

/// <summary>When the server introduces a node to its callers.</summary>
internal static class AcceptMode
{
    /// <summary>At once; right only where everyone may connect.</summary>
    public const string Open = "open";

    /// <summary>After the node said yes.</summary>
    public const string OnAccept = "on-accept";
}

/// <summary>What a node can do beyond being registered.</summary>
internal static class Capability
{
    /// <summary>It takes part in checks and can have a direct path.</summary>
    public const string Direct = "direct";

    /// <summary>It takes relayed datagrams.</summary>
    public const string Relay = "relay";
}

/// <summary>Candidate kinds on the wire (RFC 8839 section 5.1 names, and ours for port mappings).</summary>
internal static class CandidateKindText
{
    public const string Host = "host";
    public const string ServerReflexive = "srflx";
    public const string PeerReflexive = "prflx";
    public const string Mapped = "mapped";
    public const string Relayed = "relay";
}
