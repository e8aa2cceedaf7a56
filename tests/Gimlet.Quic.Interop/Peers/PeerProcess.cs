using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>A running foreign program: what it says, until when, and its end by its own id.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    /// <summary>
    /// For every wait on a process. Nothing here takes as long on a machine that is only busy; a test that hangs must still say why.
    /// </summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    // Enough of the story for a failure; gtlsserver writes a line per packet.
    private const int LinesKept = 400;

    private readonly Lock _lock = new();
    private readonly Process _process;
    private readonly string _commandLine;
    private readonly Func<string, bool>? _keepsAlways;
    private readonly Queue<string> _lines = new();
    private readonly List<string> _kept = [];
    private readonly Task _reading;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PeerProcess(Process process, string commandLine, Func<string, bool>? keepsAlways)
    {
        _process = process;
        _commandLine = commandLine;
        _keepsAlways = keepsAlways;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Starts a program whose standard input stays open until the end.</summary>
    /// <param name="program">Its path or its name on the PATH.</param>
    /// <param name="arguments">Its arguments, unquoted.</param>
    /// <param name="keepsAlways">Which lines are kept however many follow: those that the test looks for.</param>
    /// <param name="environment">Additions to its environment.</param>
    public static PeerProcess Start(
        string program,
        IReadOnlyList<string> arguments,
        Func<string, bool>? keepsAlways = null,
        params ReadOnlySpan<(string Name, string Value)> environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        return new PeerProcess(process, $"{program} {string.Join(' ', arguments)}", keepsAlways);
    }

    /// <summary>The first line that fits, whether it came already or not.</summary>
    /// <exception cref="PeerException">The process ended without it, or time is up. Its whole story is in the message.</exception>
    public async Task<string> WaitForLineAsync(Func<string, bool> fits)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            // Read before the lines are: what was written before the end is then always seen.
            bool hasEnded = _reading.IsCompleted;
            Task news;
            lock (_lock)
            {
                if (Lines().FirstOrDefault(fits) is { } found)
                {
                    return found;
                }

                news = _news.Task;
            }

            if (hasEnded)
            {
                throw Failure("it ended without the line");
            }

            try
            {
                await Task.WhenAny(news, _reading).WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw Failure($"no such line within {Deadline.TotalSeconds} s");
            }
        }
    }

    /// <summary>The lines so far that fit, of those that are kept.</summary>
    public IReadOnlyList<string> LinesLike(Func<string, bool> fits)
    {
        lock (_lock)
        {
            return [.. Lines().Where(fits)];
        }
    }

    /// <summary>Waits until the process has ended by itself; gives its exit code.</summary>
    /// <exception cref="PeerException">Time is up.</exception>
    public async Task<int> WaitForExitAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await _reading.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw Failure($"it did not end within {Deadline.TotalSeconds} s");
        }

        return _process.ExitCode;
    }

    /// <summary>Ends a program that ends with its standard input; gives its exit code.</summary>
    public async Task<int> StopAsync()
    {
        _process.StandardInput.Close();
        return await WaitForExitAsync();
    }

    /// <summary>Ends the process at once, as a crash would: nothing is sent.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    /// <summary>A failure with the command and what it said last.</summary>
    public PeerException Failure(string what)
    {
        var story = new StringBuilder();
        story.AppendLine(CultureInfo.InvariantCulture, $"{what}\n  {_commandLine}");
        lock (_lock)
        {
            foreach (string line in Lines())
            {
                story.AppendLine(CultureInfo.InvariantCulture, $"  {line}");
            }
        }

        return new PeerException(story.ToString());
    }

    private IEnumerable<string> Lines() => _kept.Concat(_lines);

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
        {
            TaskCompletionSource news;
            lock (_lock)
            {
                if (_keepsAlways?.Invoke(line) == true)
                {
                    _kept.Add(line);
                }
                else
                {
                    _lines.Enqueue(line);
                    if (_lines.Count > LinesKept)
                    {
                        _lines.Dequeue();
                    }
                }

                news = _news;
                _news = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            news.SetResult();
        }
    }
}

/// <summary>A foreign program did not do what it was started for.</summary>
internal sealed class PeerException(string message) : Exception(message);
