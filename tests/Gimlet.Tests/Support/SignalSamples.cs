using Gimlet.Signalling;

namespace Gimlet.Tests.Support;

/// <summary>One full message of every type.</summary>
internal static class SignalSamples
{
    private static readonly CandidateDescription[] Candidates =
    [
        new() { Kind = "host", Address = "192.168.1.2:4000" },
        new() { Kind = "srflx", Address = "[2001:db8::1]:5000", Proof = Bytes(20), Unverified = true },
    ];

    private static readonly NatDescription Nat = new() { Mapping = "endpoint-independent", Filtering = "unknown", Evidence = "3 probes left as \"one\" port \u00e9" };

    private static readonly SignedKey Key = new() { Key = Bytes(65), Signature = Bytes(64) };

    private static readonly string Call = new('a', 32);

    public static readonly SignalMessage[] All =
    [
        new ChallengeMessage { Nonce = Bytes(32), Stun = [":3478", "stun.example.org:3478"], Observed = "192.0.2.1:5" },
        new RegisterMessage { PublicKey = Bytes(91), Signature = Bytes(64), Accept = "open", Capabilities = ["direct"], Prekey = Key, Candidates = Candidates, Nat = Nat, Token = "token", Agent = "gimlet/1" },
        new RegisteredMessage { Peer = Keys.Small.Id.ToString(), Observed = "192.0.2.1:5", KeepAliveMs = 15000, Limits = new LimitsDescription { MessageBytes = 1, MessagesPerSecond = 2, CallsPerMinute = 3 } },
        new UpdateMessage { Candidates = Candidates, Nat = Nat, Accept = "on-accept" },
        new ConnectMessage { Call = Call, Target = Keys.Large.Id.ToString(), Candidates = Candidates, Nat = Nat, Ephemeral = Key, Protocol = "gimlet", Proof = Bytes(32) },
        new IntroduceMessage { Call = Call, Peer = Keys.Small.Id.ToString(), PublicKey = Bytes(91), Prekey = Key, Candidates = Candidates, Nat = Nat, Capabilities = ["direct"] },
        new IncomingMessage { Call = Call, Peer = Keys.Small.Id.ToString(), PublicKey = Bytes(91), Ephemeral = Key, Candidates = Candidates, Nat = Nat, Capabilities = [], Protocol = "gimlet", Proof = Bytes(32) },
        new AcceptMessage { Call = Call, Candidates = Candidates },
        new RejectMessage { Call = Call, Reason = RejectReason.Busy, Detail = "too many" },
        new HangupMessage { Call = Call },
        new CandidatesMessage { Call = Call, Candidates = [], Nat = Nat },
        new ObservedMessage { Address = "192.0.2.1:5" },
        new LimitedMessage { Limit = RelayLimit.Queue, Value = 1, Dropped = 2 },
        new UnreachableMessage { Peer = Keys.Small.Id.ToString(), Reason = RejectReason.NoCall },
        new PingMessage { Id = long.MaxValue },
        new PongMessage { Id = long.MinValue },
        new ErrorMessage { Code = ErrorCode.BadMessage, Detail = "x" },
    ];

    public static byte[] Bytes(int length) => [.. Enumerable.Range(200, length).Select(i => (byte)i)];
}
