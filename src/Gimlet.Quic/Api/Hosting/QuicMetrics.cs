using System.Diagnostics.Metrics;

namespace Gimlet.Quic.Hosting;

/// <summary>The meter <c>Gimlet.Quic</c>. Datagrams are counted once per batch; recording costs next to nothing while nobody listens.</summary>
internal static class QuicMetrics
{
    public const string MeterName = "Gimlet.Quic";

    // In the order of the enums.
    public static readonly string[] DropNames =
    [
        "none", "malformed", "no-connection", "not-serving", "not-invited", "too-small", "unknown-version", "invalid-token", "half-open-limit", "answer-limit",
        "not-authentic",
    ];

    public static readonly string[] AnswerNames = ["none", "version-negotiation", "retry", "refusal", "stateless-reset"];

    private static readonly Meter Meter = new(MeterName);

    private static readonly UpDownCounter<long> Connections =
        Meter.CreateUpDownCounter<long>("gimlet.quic.connections", "{connection}", "Connections that are not forgotten yet.");

    private static readonly Counter<long> Handshakes =
        Meter.CreateCounter<long>("gimlet.quic.handshakes", "{handshake}", "Handshakes that ended, by role and outcome.");

    private static readonly Counter<long> Answers =
        Meter.CreateCounter<long>("gimlet.quic.answers", "{datagram}", "Answers to strangers, by kind.");

    private static readonly Counter<long> Dropped =
        Meter.CreateCounter<long>("gimlet.quic.datagrams.dropped", "{datagram}", "Datagrams that were dropped without an answer, by reason.");

    private static readonly Counter<long> Received =
        Meter.CreateCounter<long>("gimlet.quic.datagrams.received", "{datagram}", "Datagrams that came in.");

    private static readonly Counter<long> ReceivedBytes =
        Meter.CreateCounter<long>("gimlet.quic.received", "By", "UDP payload that came in.");

    private static readonly Counter<long> Sent =
        Meter.CreateCounter<long>("gimlet.quic.datagrams.sent", "{datagram}", "Datagrams that were sent.");

    private static readonly Counter<long> SentBytes =
        Meter.CreateCounter<long>("gimlet.quic.sent", "By", "UDP payload that was sent.");

    private static readonly Counter<long> NotSent =
        Meter.CreateCounter<long>("gimlet.quic.datagrams.not_sent", "{datagram}", "Datagrams that the system refused for good.");

    private static readonly Counter<long> Blocked =
        Meter.CreateCounter<long>("gimlet.quic.blocked", "{wait}", "Times that a connection waited for room in a send buffer.");

    private static readonly Counter<long> Lost =
        Meter.CreateCounter<long>("gimlet.quic.packets.lost", "{packet}", "Packets that were declared lost, counted when their connection ends.");

    public static void ConnectionBegan() => Connections.Add(1);

    public static void ConnectionEnded(long lostPackets)
    {
        Connections.Add(-1);
        Lost.Add(lostPackets);
    }

    public static void HandshakeEnded(string role, bool isComplete) => Handshakes.Add(
        1,
        new KeyValuePair<string, object?>("role", role),
        new KeyValuePair<string, object?>("outcome", isComplete ? "complete" : "failed"));

    public static void Answered(Endpoints.AnswerKind kind) => Answers.Add(1, new KeyValuePair<string, object?>("kind", AnswerNames[(int)kind]));

    public static void Drop(Endpoints.DropReason reason) => Dropped.Add(1, new KeyValuePair<string, object?>("reason", DropNames[(int)reason]));

    public static void BatchReceived(int datagrams, int bytes)
    {
        Received.Add(datagrams);
        ReceivedBytes.Add(bytes);
    }

    public static void BatchSent(int datagrams, int bytes)
    {
        Sent.Add(datagrams);
        SentBytes.Add(bytes);
    }

    public static void Refused(int datagrams) => NotSent.Add(datagrams);

    public static void WaitBegan() => Blocked.Add(1);
}
