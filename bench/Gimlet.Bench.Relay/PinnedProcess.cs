using System.Diagnostics;
using System.Globalization;

namespace Gimlet.Bench.Relay;

/// <summary>A child process that runs on one core (taskset) and is ended with this object.</summary>
internal sealed class PinnedProcess : IDisposable
{
    private readonly Process _process;

    private PinnedProcess(Process process) => _process = process;

    public StreamReader Output => _process.StandardOutput;

    public StreamWriter Input => _process.StandardInput;

    public bool HasExited => _process.HasExited;

    /// <summary>Processor time used so far, by all threads.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static PinnedProcess Start(int core, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("taskset")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(core.ToString(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(program);
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // taskset replaces itself by the program, so the process id stays this one.
        return new PinnedProcess(Process.Start(start)!);
    }

    /// <summary>This executable again, in another role.</summary>
    public static PinnedProcess StartRole(int core, params string[] arguments) =>
        Start(core, Environment.ProcessPath!, [.. SelfArguments(), .. arguments]);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    // Started by "dotnet x.dll", the process is dotnet and needs the path of the assembly again.
    private static string[] SelfArguments() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
}
