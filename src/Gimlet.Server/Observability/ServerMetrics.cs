using System.Diagnostics.Metrics;

namespace Gimlet.Server.Observability;

/// <summary>The meter <c>Gimlet.Server</c>. Recording costs nothing while nobody listens.</summary>
internal sealed class ServerMetrics
{
    public const string MeterName = "Gimlet.Server";

    private readonly UpDownCounter<long> _sessions;
    private readonly UpDownCounter<long> _nodes;
    private readonly Counter<long> _registrations;
    private readonly Counter<long> _messages;
    private readonly Counter<long> _calls;
    private readonly Counter<long> _introductions;
    private readonly Counter<long> _rejects;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _drops;
    private readonly Counter<long> _relayFrames;
    private readonly Counter<long> _relayDatagrams;
    private readonly Counter<long> _relayBytes;

    public ServerMetrics(Meter meter)
    {
        _sessions = meter.CreateUpDownCounter<long>("gimlet.server.sessions", "{session}", "WebSockets, registered or not.");
        _nodes = meter.CreateUpDownCounter<long>("gimlet.server.nodes", "{node}", "Registered nodes.");
        _registrations = meter.CreateCounter<long>("gimlet.server.registrations", "{registration}", "Registrations that stood.");
        _messages = meter.CreateCounter<long>("gimlet.server.messages", "{message}", "Text frames from nodes.");
        _calls = meter.CreateCounter<long>("gimlet.server.calls", "{call}", "Calls that nodes asked for.");
        _introductions = meter.CreateCounter<long>("gimlet.server.introductions", "{introduction}", "Calls whose caller was introduced.");
        _rejects = meter.CreateCounter<long>("gimlet.server.rejects", "{call}", "Calls refused, by reason.");
        _errors = meter.CreateCounter<long>("gimlet.server.errors", "{error}", "Errors sent to nodes, by code.");
        _drops = meter.CreateCounter<long>("gimlet.server.drops", "{item}", "What was dropped, by kind.");
        _relayFrames = meter.CreateCounter<long>("gimlet.server.relay.frames", "{frame}", "Binary frames passed on to their receivers.");
        _relayDatagrams = meter.CreateCounter<long>("gimlet.server.relay.datagrams", "{datagram}", "Datagrams in them.");
        _relayBytes = meter.CreateCounter<long>("gimlet.server.relay.bytes", "By", "Their bytes, headers included.");
    }

    /// <summary>Counters that nobody can listen to by the server's meter factory: for cores without a host.</summary>
    public static ServerMetrics Detached { get; } = new(new Meter(MeterName + ".Detached"));

    public void SessionOpened() => _sessions.Add(1);

    public void SessionClosed() => _sessions.Add(-1);

    public void NodeRegistered()
    {
        _registrations.Add(1);
        _nodes.Add(1);
    }

    public void NodeLeft() => _nodes.Add(-1);

    public void MessageReceived() => _messages.Add(1);

    public void CallStarted() => _calls.Add(1);

    public void Introduced() => _introductions.Add(1);

    public void Rejected(string reason) => _rejects.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void ErrorSent(string code) => _errors.Add(1, new KeyValuePair<string, object?>("code", code));

    /// <summary>Counts a frame on its way out.</summary>
    public void Relayed(int datagrams, int bytes)
    {
        _relayFrames.Add(1);
        _relayDatagrams.Add(datagrams);
        _relayBytes.Add(bytes);
    }

    /// <summary>Counts what was dropped.</summary>
    /// <param name="kind">One of <see cref="DropKind"/>.</param>
    /// <param name="count">How many.</param>
    public void Dropped(string kind, int count = 1) => _drops.Add(count, new KeyValuePair<string, object?>("kind", kind));
}

/// <summary>What can be dropped; the kinds are stable.</summary>
internal static class DropKind
{
    public const string BinaryFrame = "binary-frame";
    public const string UnknownMessage = "unknown-message";
    public const string UnknownCall = "unknown-call";
    public const string Candidate = "candidate";
    public const string SlowSession = "slow-session";
    public const string SilentSession = "silent-session";

    // Frames; the other kinds of the relay are datagrams.
    public const string RelayUnreadable = "relay-unreadable";
    public const string RelayOffline = "relay-offline";
    public const string RelayNoCall = "relay-no-call";
    public const string RelayBytes = "relay-bytes-per-second";
    public const string RelayFrames = "relay-frames-per-second";
    public const string RelayQueue = "relay-queue";
}
