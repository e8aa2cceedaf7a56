using System.Diagnostics;
using System.Threading.Channels;

namespace Gimlet.Cli.Tests.Support;

/// <summary>What a process left behind.</summary>
internal sealed record CliResult(int ExitCode, string Output, string Error)
{
    public IReadOnlyList<CliEvent> Events => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(CliEvent.Parse)];

    public CliEvent Event(string name) => Assert.Single(Events, e => e.Name == name);
}

/// <summary>A running <c>gimlet</c>, the built one, with an environment of its own.</summary>
internal sealed class GimletProcess : IAsyncDisposable
{
    /// <summary>For every wait. A busy machine needs seconds; what takes longer hangs.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Gimlet.Cli.dll");

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Channel<string> _output = Channel.CreateUnbounded<string>();
    private readonly Task _reading;
    private readonly Task<string> _errors;
    private readonly string _commandLine;
    private bool _disposed;

    private GimletProcess(Process process, string commandLine)
    {
        _process = process;
        _commandLine = commandLine;
        _reading = ReadAsync();
        _errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
    }

    /// <summary>Starts it.</summary>
    public static GimletProcess Start(TemporaryFolder home, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments)
    {
        Process process = StartProcess(home, environment, arguments);
        process.StandardInput.Close();
        return new GimletProcess(process, string.Join(' ', arguments));
    }

    /// <summary>Starts the built executable with its three standard streams in our hands.</summary>
    public static Process StartProcess(TemporaryFolder home, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments)
    {
        // A run of the tests that was started in the background ignores SIGINT, and processes inherit that: env gives the default back.
        string[] command = IsInterruptIgnored() ? ["env", "--default-signal=INT", DotnetPath] : [DotnetPath];
        var start = new ProcessStartInfo(command[0], [.. command[1..], Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = home.Path,
        };
        foreach (string name in start.Environment.Keys.Where(IsOurs).ToList())
        {
            _ = start.Environment.Remove(name);
        }

        // Where ApplicationData is on Linux, and on Windows and macOS HOME decides or nothing does: tests there pass --key.
        start.Environment["XDG_CONFIG_HOME"] = home.Path;

        // The machine's own cloud, if it is in one, must not answer.
        start.Environment["GIMLET_METADATA_URL"] = "off";
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    // Variables by which whoever runs the tests could change what the commands do.
    private static bool IsOurs(string name) => name.StartsWith("GIMLET_", StringComparison.Ordinal) || name.StartsWith("STUN_", StringComparison.Ordinal)
        || name.StartsWith("PING_", StringComparison.Ordinal) || name is "PORT" or "NO_COLOR" or "RENDEZVOUS_SERVICE_URL" or "WORKER_ID" or "INTERNAL_UDP_PORT_ENV";

    // proc(5): SigIgn is a mask in hexadecimal, the lowest bit is signal 1.
    private static bool IsInterruptIgnored() => OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status").FirstOrDefault(static l => l.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
        && (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 0b10) != 0;

    /// <summary>Waits for the next event of a name; others before it are read and kept.</summary>
    public async Task<CliEvent> WaitForAsync(string name)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            while (true)
            {
                string line = await _output.Reader.ReadAsync(deadline.Token);
                CliEvent news = CliEvent.Parse(line);
                if (news.Name == name)
                {
                    return news;
                }
            }
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException)
        {
            throw new InvalidOperationException($"'gimlet {_commandLine}' did not say '{name}'. {await StoryAsync()}", e);
        }
    }

    /// <summary>Waits until it has ended by itself.</summary>
    public async Task<CliResult> WaitForExitAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await _reading.WaitAsync(deadline.Token);
            return new CliResult(_process.ExitCode, string.Join('\n', _lines), await _errors.WaitAsync(deadline.Token));
        }
        catch (OperationCanceledException e)
        {
            throw new InvalidOperationException($"'gimlet {_commandLine}' did not end. {await StoryAsync()}", e);
        }
    }

    /// <summary>Sends a signal, TERM or INT, and waits for the end.</summary>
    public async Task<CliResult> SignalAsync(string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
        return await WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _reading;
        _process.Dispose();
    }

    private static string DotnetPath => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            _lines.Add(line);
            _ = _output.Writer.TryWrite(line);
        }

        _output.Writer.Complete();
    }

    private async Task<string> StoryAsync()
    {
        await DisposeAsync();
        return $"It wrote:\n{string.Join('\n', _lines)}\nand on standard error:\n{await _errors}";
    }
}
