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

    /// <summary>Another one that tells nobody, for a rehearsal; what telling needs the first time is done by then.</summary>
    IReporter Silent();
}
