using System.Diagnostics;

namespace Gimlet.Bench.Common;

/// <summary>A child process that runs on some cores (taskset) and is ended with this object.</summary>
public sealed class PinnedProcess : IDisposable
{
    private readonly Process _process;

    private PinnedProcess(Process process) => _process = process;

    public StreamWriter Input => _process.StandardInput;

    public bool HasExited => _process.HasExited;

    /// <summary>Processor time used so far, by all threads, as the system counts it.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a program on these cores.</summary>
    /// <param name="cores">What taskset takes as a list: <c>0</c>, or <c>0,1</c>.</param>
    /// <param name="program">A path, or a name that is looked up.</param>
    /// <param name="arguments">The program's own.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no taskset.</exception>
    public static PinnedProcess Start(string cores, string program, params IEnumerable<string> arguments)
    {
        // taskset replaces itself by the program, so the process id stays this one.
        var start = new ProcessStartInfo("taskset", ["-c", cores, program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        return new PinnedProcess(Process.Start(start)!);
    }

    /// <summary>This executable again, in another role.</summary>
    public static PinnedProcess StartRole(string cores, params IEnumerable<string> arguments) =>
        Start(cores, Environment.ProcessPath!, [.. SelfArguments(), .. arguments]);

    /// <summary>The next line of output.</summary>
    /// <exception cref="InvalidOperationException">The process ended instead.</exception>
    public string ReadLine() =>
        _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{_process.StartInfo.ArgumentList[2]} ended early.");

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
