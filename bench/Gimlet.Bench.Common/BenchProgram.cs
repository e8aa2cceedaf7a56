namespace Gimlet.Bench.Common;

/// <summary>How every benchmark starts: its arguments are read, its machine is looked at, then it runs.</summary>
public static class BenchProgram
{
    /// <summary>Runs a benchmark as a program.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="usage">Said for <c>--help</c>, and beside what is wrong with the arguments.</param>
    /// <param name="parse">Makes options of the arguments; a <see cref="FormatException"/> says what is wrong.</param>
    /// <param name="run">The benchmark.</param>
    /// <returns>The exit code.</returns>
    public static int Run<TOptions>(string[] args, string usage, Func<ArgumentReader, TOptions> parse, Action<TOptions> run)
    {
        if (args is ["--help"])
        {
            Console.WriteLine(usage);
            return 0;
        }

        TOptions options;
        try
        {
            options = parse(new ArgumentReader(args));
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"{e.Message}\n\n{usage}");
            return 2;
        }

        if (!OperatingSystem.IsLinux() || Environment.ProcessorCount < 2)
        {
            Console.Error.WriteLine("This comparison needs Linux and two cores, so that one side does not run on the other's time.");
            return 1;
        }

        run(options);
        return 0;
    }
}
