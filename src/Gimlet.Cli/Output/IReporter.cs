using Spectre.Console;

namespace Gimlet.Cli.Output;

/// <summary>Where a command tells what happens: text for people, or a JSON line per event. Thread-safe; events appear in the order of the calls.</summary>
internal interface IReporter : IDisposable
{
    /// <summary>Tells an event.</summary>
    /// <param name="news">What happened.</param>
    void Report(CliEvent news);

    /// <summary>Adds something for people's eyes only.</summary>
    /// <param name="write">Writes it; not called when events go to a program.</param>
    void Human(Action<IAnsiConsole> write);

    /// <summary>Does the first-time work of telling events now, so that it does not happen between a dial and its first round trip.</summary>
    void Prepare();
}

/// <summary>Events that every dial tells, for <see cref="IReporter.Prepare"/>.</summary>
internal static class SampleEvents
{
    /// <summary>One of each.</summary>
    public static IEnumerable<CliEvent> All { get; } =
    [
        new DialingEvent("peer", "call", null),
        new ConnectedEvent("peer", "call", Words.Direct, "192.0.2.1:1", 0.1, Authenticated: true, 0.1),
        new ConnectedEvent("peer", "call", Words.Relay, null, 0.1, Authenticated: true, 0.1, "clause", "word"),
        new PongEvent(1, 0.1, Words.Direct, "192.0.2.1:1", 0.1),
        new PingEvent("peer", 1, Words.Direct, "192.0.2.1:1"),
        new PathEvent(null, Words.Direct, "192.0.2.1:1", 0.1, 0.1, "reason"),
        new ClosedEvent(null, "reason"),
    ];
}
