using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Wire;

namespace Gimlet.NatLab.Cells;

/// <summary>A running <c>gimlet</c> on a lab host: the real executable, driven by its command line and its JSON lines.</summary>
internal sealed class GimletProcess : IAsyncDisposable
{
    /// <summary>For every wait on a process. Nothing here takes as long on a machine that is only busy; a test that hangs must still say why.</summary>
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(45);

    // How much of standard error a failure shows: enough for a stack trace.
    private const int ErrorLinesKept = 60;

    /// <summary>What is driven: the build beside this one, or what <c>GIMLET_LAB_CLI</c> names (a published executable, say).</summary>
    internal static readonly string Program = Environment.GetEnvironmentVariable("GIMLET_LAB_CLI")
        ?? Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "GimletCli").Value!;

    private readonly Lock _lock = new();
    private readonly Process _process;
    private readonly string _commandLine;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly List<GimletEvent> _events = [];
    private readonly List<string> _transcript = [];
    private readonly Queue<string> _errors = new();
    private readonly Task _reading;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _brokenLine;

    private GimletProcess(Process process, string commandLine, bool isPipe)
    {
        _process = process;
        _commandLine = commandLine;
        _reading = isPipe ? ReadBothAsync() : Task.WhenAll(ReadEventsAsync(), ReadErrorsAsync());
    }

    /// <summary>Standard input and output of a <c>gimlet pipe</c>: the bytes that are sent and received.</summary>
    internal (Stream Input, Stream Output) Pipe => (_process.StandardInput.BaseStream, _process.StandardOutput.BaseStream);

    /// <summary>Starts <c>gimlet ARGUMENTS --json</c> on <paramref name="host"/>.</summary>
    internal static GimletProcess Start(LabHost host, params IReadOnlyList<string> arguments) => Start(host, isPipe: false, arguments);

    /// <summary>Starts <c>gimlet pipe ARGUMENTS --json</c>, whose events are on standard error, among log lines; the caller has its <see cref="Pipe"/>.</summary>
    internal static GimletProcess StartPipe(LabHost host, params IReadOnlyList<string> arguments) => Start(host, isPipe: true, ["pipe", .. arguments]);

    private static GimletProcess Start(LabHost host, bool isPipe, IReadOnlyList<string> arguments)
    {
        if (!File.Exists(Program))
        {
            throw new LabException($"the command line is not built: {Program} does not exist");
        }

        var start = Program.EndsWith(".dll", StringComparison.Ordinal)
            ? host.Command(DotnetHost.Path, [Program, .. arguments, "--json"])
            : host.Command(Program, [.. arguments, "--json"]);
        start.UseShellExecute = false;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        // Closed at once below, but for a pipe: a command that waits for a key press would hang here as it would under a service manager.
        start.RedirectStandardInput = true;
        DotnetHost.Quiet(start);
        var process = Process.Start(start) ?? throw new LabException("ip netns exec did not start");
        if (!isPipe)
        {
            process.StandardInput.Close();
        }

        return new GimletProcess(process, $"{host.Namespace}: gimlet {string.Join(' ', arguments)} --json", isPipe);
    }

    /// <summary>The first event of this name that fits, whether it came already or not.</summary>
    /// <exception cref="GimletProcessException">The process ended, wrote something else than events, or time is up. Its whole story is in the message.</exception>
    internal async Task<GimletEvent> WaitForAsync(string name, Func<GimletEvent, bool>? fits = null)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            Task news;
            // Read before the events are: what was written before the end is then always seen.
            var hasEnded = _reading.IsCompleted;
            lock (_lock)
            {
                if (_brokenLine is not null)
                {
                    throw Failure($"standard output holds a line that is no event: {_brokenLine}");
                }

                if (_events.Find(candidate => candidate.Name == name && (fits is null || fits(candidate))) is { } found)
                {
                    return found;
                }

                news = _news.Task;
            }

            if (hasEnded)
            {
                throw Failure($"it ended without the event '{name}'");
            }

            try
            {
                await Task.WhenAny(news, _reading).WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw Failure($"no event '{name}' within {Deadline.TotalSeconds} s");
            }
        }
    }

    /// <summary>Whether an event of this name, that fits, has come.</summary>
    internal bool Has(string name, Func<GimletEvent, bool>? fits = null)
    {
        lock (_lock)
        {
            return _events.Exists(candidate => candidate.Name == name && (fits is null || fits(candidate)));
        }
    }

    /// <summary>Where the data of its connection goes, as it said last; null for the relay and for nowhere.</summary>
    internal string? LastRemote
    {
        get
        {
            lock (_lock)
            {
                return _events.FindLast(candidate => candidate.Name is "connected" or "path")?.Text("remote");
            }
        }
    }

    /// <summary>What it has said since a moment.</summary>
    internal IReadOnlyList<GimletEvent> EventsSince(long timestamp)
    {
        lock (_lock)
        {
            return _events.FindAll(candidate => candidate.ReadAt >= timestamp);
        }
    }

    /// <summary>Ends the process as a power failure does.</summary>
    internal async Task KillAsync()
    {
        _ = Kernel.Kill(_process.Id, Kernel.SignalKill);
        await _process.WaitForExitAsync(CancellationToken.None);
        await _reading;
    }

    /// <summary>Waits until the process has ended by itself.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="GimletProcessException">Time is up.</exception>
    internal async Task<int> WaitForExitAsync()
    {
        try
        {
            using var deadline = new CancellationTokenSource(Deadline);
            await _process.WaitForExitAsync(deadline.Token);
            await _reading.WaitAsync(deadline.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw Failure($"it did not end within {Deadline.TotalSeconds} s");
        }
    }

    /// <summary>Asks the process to end, as a user or a service manager does, and demands that it ends with code 0.</summary>
    internal async Task EndAsync(int signal = Kernel.SignalTerminate)
    {
        if (_process.HasExited)
        {
            throw Failure($"it had already ended, with code {_process.ExitCode}");
        }

        _ = Kernel.Kill(_process.Id, signal);
        if (await WaitForExitAsync() is not 0 and var code)
        {
            throw Failure($"signal {signal} ended it with code {code}");
        }
    }

    /// <summary>Ends the process if it still runs, without ceremony.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Kernel.Kill(_process.Id, Kernel.SignalKill);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _reading;
        _process.Dispose();
    }

    /// <summary>A failure with the command, everything it said, and its log.</summary>
    internal GimletProcessException Failure(string what)
    {
        var story = new StringBuilder();
        story.AppendLine(CultureInfo.InvariantCulture, $"{what}\n  {_commandLine}");
        lock (_lock)
        {
            foreach (var line in _transcript)
            {
                story.AppendLine(CultureInfo.InvariantCulture, $"  {line}");
            }

            story.AppendLine(_errors.Count == 0 ? "  nothing on standard error" : "  standard error, its last lines:");
            foreach (var line in _errors)
            {
                story.AppendLine(CultureInfo.InvariantCulture, $"    {line}");
            }
        }

        return new GimletProcessException(story.ToString());
    }

    private async Task ReadEventsAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            Add(line, GimletEvent.Parse(line));
        }
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
        {
            AddError(line);
        }
    }

    private async Task ReadBothAsync()
    {
        while (await _process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (GimletEvent.Parse(line) is { } parsed)
            {
                Add(line, parsed);
            }
            else
            {
                AddError(line);
            }
        }
    }

    private void Add(string line, GimletEvent? parsed)
    {
        TaskCompletionSource news;
        lock (_lock)
        {
            _transcript.Add($"{_watch.ElapsedMilliseconds,6} ms  {line}");
            if (parsed is null)
            {
                _brokenLine ??= line;
            }
            else
            {
                _events.Add(parsed with { ReadAt = Stopwatch.GetTimestamp() });
            }

            news = _news;
            _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        news.SetResult();
    }

    private void AddError(string line)
    {
        lock (_lock)
        {
            _errors.Enqueue(line);
            if (_errors.Count > ErrorLinesKept)
            {
                _errors.Dequeue();
            }
        }
    }
}
