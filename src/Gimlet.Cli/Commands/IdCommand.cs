using System.CommandLine;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.Cli.Output;
using Gimlet.Cli.Running;

namespace Gimlet.Cli.Commands;

/// <summary><c>gimlet id</c>: this node's peer id.</summary>
internal static class IdCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var key = new KeySettings();
        var output = new OutputSettings();
        var command = new GimletCommand("id", "Prints this node's peer id; makes its key on first use.")
        {
            Usages = ["id [options]"],
            Examples =
            [
                new Example("gimlet id", "what others pass to gimlet connect"),
                new Example("gimlet id --key work.pem", "another identity"),
            ],
        };
        key.AddTo(command);
        output.AddTo(command);
        command.SetAction((parse, _) => CommandHost.RunAsync(parse, output, context => Task.FromResult(Run(context, key))));
        return command;
    }

    private static int Run(CommandContext context, KeySettings key)
    {
        using NodeIdentity identity = key.File(context.Parse)?.LoadOrCreate() ?? NodeIdentity.Create();
        context.Reporter.Report(new IdEvent(identity.Id.ToString()));
        return ExitCodes.Success;
    }
}
