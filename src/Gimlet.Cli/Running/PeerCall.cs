using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;

namespace Gimlet.Cli.Running;

/// <summary>What commands that call a peer through a server have in common.</summary>
internal static class PeerCall
{
    /// <summary>What help calls the peer.</summary>
    public const string ArgumentName = "PEER";

    /// <summary>Makes the argument.</summary>
    public static Argument<string?> CreateArgument() => new(ArgumentName)
    {
        Description = "The other side's peer id, or the ticket that it prints. A ticket brings its servers along.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>Reads the argument.</summary>
    /// <param name="parse">The line.</param>
    /// <param name="argument">The argument.</param>
    /// <param name="settings">The node's options: with a server on the line, those of a ticket are not used.</param>
    /// <exception cref="GimletException">It is missing or wrong, or nothing names a server.</exception>
    public static CallTarget ReadTarget(ParseResult parse, Argument<string?> argument, NodeSettings settings)
    {
        string text = parse.GetValue(argument) ?? throw Usage.Error(
            $"{ArgumentName} is missing: whom should gimlet {parse.CommandResult.Command.Name} call?",
            "Pass the peer id or the ticket that gimlet listen prints on the other side.");
        if (text.StartsWith('-'))
        {
            throw ParseProblems.UnknownOption(parse.CommandResult.Command, text);
        }

        CallTarget target = SettingText.Read(argument, ArgumentName, text, PeerText.ReadTarget);
        IReadOnlyList<Uri> servers = settings.Servers(parse);
        if (servers.Count > 0)
        {
            return target with { Servers = servers };
        }

        return target.Servers.Count > 0
            ? target with { MayHaveToken = settings.IsTokenTyped(parse) }
            : throw Usage.Error(
                "A call to a peer id goes through a server, and none is named.",
                "Name the server that the other side uses with --server URL or GIMLET_SERVER, or pass its ticket instead of its id.");
    }
}
