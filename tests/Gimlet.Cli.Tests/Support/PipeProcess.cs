using System.Diagnostics;
using System.Security.Cryptography;
using System.Threading.Channels;

namespace Gimlet.Cli.Tests.Support;

/// <summary>A running <c>gimlet pipe --json</c>: bytes on standard input and output, events on standard error.</summary>
internal sealed class PipeProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Channel<CliEvent> _news = Channel.CreateUnbounded<CliEvent>();
    private readonly List<string> _lines = [];
    private readonly Task _reading;

    private PipeProcess(Process process)
    {
        _process = process;
        _reading = ReadEventsAsync();
    }

    /// <summary>What is written here the peer reads.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>What the peer has written.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    /// <summary>Starts it.</summary>
    public static PipeProcess Start(TemporaryFolder home, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments) =>
        new(GimletProcess.StartProcess(home, environment, arguments));

    /// <summary>Waits for the next event of a name; others before it are skipped.</summary>
    public async Task<CliEvent> WaitForAsync(string name)
    {
        using CancellationTokenSource deadline = Deadline();
        try
        {
            while (true)
            {
                CliEvent news = await _news.Reader.ReadAsync(deadline.Token);
                if (news.Name == name)
                {
                    return news;
                }
            }
        }
        catch (Exception e) when (e is ChannelClosedException or OperationCanceledException)
        {
            throw new InvalidOperationException($"gimlet pipe did not say '{name}', but:\n{string.Join('\n', _lines)}", e);
        }
    }

    /// <summary>Writes bytes and ends the input; returns the hash of all that comes back.</summary>
    public async Task<string> ExchangeAsync(byte[] bytes)
    {
        Task<string> coming = ReadToEndAsync();
        await WriteAndEndAsync(bytes);
        return await coming;
    }

    /// <summary>Writes bytes and ends the input.</summary>
    public async Task WriteAndEndAsync(byte[] bytes)
    {
        using CancellationTokenSource deadline = Deadline();
        await Input.WriteAsync(bytes, deadline.Token);
        await Input.DisposeAsync();
    }

    /// <summary>The hash of the output, which must come to its end.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using CancellationTokenSource deadline = Deadline();
        return Convert.ToHexString(await SHA256.HashDataAsync(Output, deadline.Token));
    }

    /// <summary>Waits until it has ended by itself; gives what it said.</summary>
    public async Task<CliResult> WaitForExitAsync()
    {
        using CancellationTokenSource deadline = Deadline();
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await _reading.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            throw new InvalidOperationException($"gimlet pipe did not end. It said:\n{string.Join('\n', _lines)}", e);
        }

        return new CliResult(_process.ExitCode, string.Join('\n', _lines), string.Empty);
    }

    /// <summary>Sends a signal.</summary>
    public async Task SignalAsync(string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        await _reading;
        _process.Dispose();
    }

    private static CancellationTokenSource Deadline()
    {
        var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(GimletProcess.Deadline);
        return deadline;
    }

    private async Task ReadEventsAsync()
    {
        try
        {
            while (await _process.StandardError.ReadLineAsync(CancellationToken.None) is { } line)
            {
                _lines.Add(line);
                _ = _news.Writer.TryWrite(CliEvent.Parse(line));
            }
        }
        finally
        {
            _news.Writer.Complete();
        }
    }
}
