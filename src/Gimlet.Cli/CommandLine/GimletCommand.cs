using System.CommandLine;

namespace Gimlet.Cli.CommandLine;

/// <summary>A command with what its help shows beside its options.</summary>
internal sealed class GimletCommand : Command
{
    /// <summary>Makes a command.</summary>
    /// <param name="name">What is typed.</param>
    /// <param name="description">What it does, one line.</param>
    public GimletCommand(string name, string description)
        : base(name, description)
    {
    }

    /// <summary>The ways to write it, without <c>gimlet</c>.</summary>
    public required IReadOnlyList<string> Usages { get; init; }

    /// <summary>Whole lines that can be copied, each with what it is for.</summary>
    public required IReadOnlyList<Example> Examples { get; init; }

    /// <summary>More about it, in paragraphs.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>The options that other commands have as well; help shows them last.</summary>
    public HashSet<Option> CommonOptions { get; } = [];
}

/// <summary>A line that can be copied.</summary>
/// <param name="Line">The whole line.</param>
/// <param name="Purpose">What it is for.</param>
internal sealed record Example(string Line, string Purpose);
