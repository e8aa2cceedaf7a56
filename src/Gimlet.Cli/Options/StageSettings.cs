using System.CommandLine;
using Gimlet.Cli.CommandLine;

namespace Gimlet.Cli.Options;

/// <summary>What a worker does with its peer.</summary>
/// <param name="Send">The file whose bytes it sends; <see cref="Standard"/> for standard input, null for nothing.</param>
/// <param name="Receive">The file that gets what the peer sends; <see cref="Standard"/> for standard output, null for none.</param>
/// <param name="Command">The command that talks with the peer; null for none.</param>
/// <param name="Once">The worker ends after one peer.</param>
internal sealed record StagePlan(string? Send, string? Receive, string? Command, bool Once)
{
    /// <summary>The name of the standard streams.</summary>
    public const string Standard = "-";

    /// <summary>Nothing is sent, received or run: the connection is all.</summary>
    public bool IsEmpty => Send is null && Receive is null && Command is null;
}

/// <summary><c>--send</c>, <c>--receive</c>, <c>--exec</c>, and whether that is all.</summary>
internal sealed class StageSettings
{
    private readonly ValueSetting<string> _send = new("--send", "FILE", "Sends a file to the peer; - for standard input.", ReadSource);
    private readonly ValueSetting<string> _receive = new(
        "--receive", "FILE", "Writes what the peer sends to a file, whole or not at all; - for standard output.", ReadTarget);

    private readonly ValueSetting<string> _exec = new(
        "--exec", "CMD", "Runs a command of the shell for the peer: its standard input and output are the connection. Needs --allow, or a group with a secret.", static text => text);

    private readonly FlagSetting _once = new("--once", "Ends after one peer. With --send, --receive and --exec that is the default.");
    private readonly FlagSetting _stay = new("--stay", "Goes on with the next peer after a transfer.");

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public void AddTo(GimletCommand command)
    {
        foreach (Option option in new Option[] { _send.Option, _receive.Option, _exec.Option, _once.Option, _stay.Option })
        {
            command.Add(option);
        }
    }

    /// <summary>Whether standard output carries what the peer sends.</summary>
    /// <param name="parse">The line; it may be wrong in any way.</param>
    public bool TakesOutput(ParseResult parse) =>
        (_receive.IsTyped(parse) ? parse.GetValue(_receive.Option) : EnvironmentNames.Read([EnvironmentNames.Of(_receive.Option.Name)])?.Value) == StagePlan.Standard;

    /// <summary>Reads them.</summary>
    /// <param name="parse">The line.</param>
    /// <exception cref="GimletException">One is wrong, or two contradict each other.</exception>
    public StagePlan Read(ParseResult parse)
    {
        string? send = _send.TryGet(parse, out string source) ? source : null;
        string? receive = _receive.TryGet(parse, out string target) ? target : null;
        string? command = _exec.TryGet(parse, out string exec) ? exec : null;
        if (command is not null && (send is not null || receive is not null))
        {
            throw Usage.Error(
                $"--exec and {(send is not null ? "--send" : "--receive")} exclude each other: the command has both directions of the connection.", "Leave out one of them.");
        }

        bool once = _once.Get(parse);
        bool stay = _stay.Get(parse);
        if (once && stay)
        {
            throw Usage.Error("--once and --stay contradict each other.", "Leave out one of them.");
        }

        if (stay && (send == StagePlan.Standard || receive == StagePlan.Standard))
        {
            throw Usage.Error("--stay goes on with the next peer, and standard input and output can be used once.", "Leave out --stay, or name a file.");
        }

        bool isStage = send is not null || receive is not null || command is not null;
        return new StagePlan(send, receive, command, once || (isStage && !stay));
    }

    private static string ReadSource(string text) => text == StagePlan.Standard || File.Exists(text) ? text : throw new FormatException("there is no such file");

    private static string ReadTarget(string text)
    {
        if (text == StagePlan.Standard)
        {
            return text;
        }

        if (Directory.Exists(text))
        {
            throw new FormatException("it is a folder, and must be a file");
        }

        return Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(text))) ? text : throw new FormatException("its folder does not exist");
    }
}
