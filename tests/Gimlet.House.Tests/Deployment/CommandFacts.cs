using System.CommandLine;
using System.Reflection;
using Gimlet.Cli.CommandLine;
using Gimlet.Cli.Options;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests.Deployment;

/// <summary>What the command line understands, from its own objects and sources.</summary>
internal static class CommandFacts
{
    private static readonly Dictionary<string, Command> Commands = FindCommands();
    private static readonly string Sources = string.Concat(Repository.Files(".cs").Where(static f => f.StartsWith("src/Gimlet.Cli/", StringComparison.Ordinal)).Select(Repository.Read));

    /// <summary>Fails unless there is such a command with all these options.</summary>
    public static void AssertUnderstands(string where, string command, IEnumerable<string> options)
    {
        Assert.True(Commands.TryGetValue(command, out Command? found), $"{where}: there is no gimlet {command}");
        IEnumerable<string> unknown = options.Where(o => o != "--help" && !found!.Options.Any(k => k.Name == o || k.Aliases.Contains(o)));
        Assert.True(!unknown.Any(), $"{where}: gimlet {command} has no {string.Join(", ", unknown)}");
    }

    /// <summary>Fails unless the command reads that environment variable: by a name in the sources, or as that of one of its options.</summary>
    public static void AssertReads(string where, string command, string variable)
    {
        bool isOption = Commands[command].Options.Any(o => EnvironmentNames.Of(o.Name) == variable);
        Assert.True(isOption || Sources.Contains($"\"{variable}\"", StringComparison.Ordinal), $"{where}: gimlet {command} does not know {variable}");
    }

    private static Dictionary<string, Command> FindCommands()
    {
        IEnumerable<MethodInfo> makers = typeof(GimletCommandLine).Assembly.GetTypes()
            .Where(static t => t.Namespace == "Gimlet.Cli.Commands")
            .Select(static t => t.GetMethod("Create", BindingFlags.Public | BindingFlags.Static, []))
            .OfType<MethodInfo>();
        return makers.Select(static m => (Command)m.Invoke(null, null)!).ToDictionary(static c => c.Name, StringComparer.Ordinal);
    }
}
