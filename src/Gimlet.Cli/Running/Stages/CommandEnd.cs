using System.ComponentModel;
using System.Diagnostics;
using Gimlet.Cli.Options;

namespace Gimlet.Cli.Running.Stages;

/// <summary>
/// A command of the shell, whose standard input is what the peer sends and whose standard output the peer gets. Its standard error is this process's own. It ends with
/// its peer: whatever of it still runs then is killed.
/// </summary>
internal sealed class CommandEnd : IStageEnd
{
    // A command that ends closes its output a moment before its status is known. One that goes on has closed its output on purpose.
    private static readonly TimeSpan StatusGrace = TimeSpan.FromMilliseconds(500);

    // The peer has everything, and has gone: what is left is a command's last words. It holds up the next peer.
    private static readonly TimeSpan FinishGrace = TimeSpan.FromSeconds(5);

    // What the worker knows is not the command's, which works with what a peer sends.
    private static readonly string[] Secrets =
        [EnvironmentNames.Of("--group-secret"), EnvironmentNames.Of("--worker-token"), EnvironmentNames.Of("--server-token")];

    private readonly Process _process;
    private readonly Stream _input;
    private readonly Stream _output;

    private CommandEnd(Process process)
    {
        _process = process;
        _input = process.StandardInput.BaseStream;
        _output = process.StandardOutput.BaseStream;
    }

    /// <inheritdoc/>
    public bool Sends => true;

    /// <summary>Starts a command.</summary>
    /// <param name="command">For <c>/bin/sh -c</c>, or <c>cmd /c</c>.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: there is no shell.</exception>
    public static CommandEnd Start(string command)
    {
        StandardStreams.ReserveThreads();
        ProcessStartInfo start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd") { Arguments = $"/c {command}" }
            : new ProcessStartInfo("/bin/sh", ["-c", command]);
        start.UseShellExecute = false;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        foreach (string secret in Secrets)
        {
            _ = start.Environment.Remove(secret);
        }

        try
        {
            return new CommandEnd(Process.Start(start)!);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"The command of --exec cannot be started: {e.Message}", $"It is run by {start.FileName}.", e);
        }
    }

    /// <inheritdoc/>
    public void AcceptNothing()
    {
        // There are commands that read nothing, and the others see an empty input.
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int count;
        try
        {
            count = await _output.ReadAsync(buffer, CancellationToken.None).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"The output of the command cannot be read: {e.Message}", innerException: e);
        }

        if (count == 0 && await HasEndedAsync(cancellationToken).ConfigureAwait(false))
        {
            // Of a command that failed nobody knows whether its output is whole: the peer must not take it for that.
            ThrowIfFailed();
        }

        return count;
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAndFlushAsync(bytes).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            if (await HasEndedAsync(cancellationToken).ConfigureAwait(false))
            {
                ThrowIfFailed();
            }

            throw new GimletException(
                GimletErrorKind.LocalFault, "The command has closed its input before everything that the peer sent was read.", "Let it read to the end of its input.", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask CloseOutputAsync()
    {
        try
        {
            await _input.DisposeAsync().ConfigureAwait(false);
        }
        catch (IOException)
        {
            // It has ended in this very moment, with all that was sent already written; its status says whether that was right.
        }
    }

    /// <inheritdoc/>
    public async Task FinishAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(FinishGrace, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new GimletException(
                GimletErrorKind.LocalFault,
                $"The command of --exec still runs {FinishGrace.TotalSeconds:0} s after its peer was gone, and is ended.",
                "Let it end when its input ends, or keep its output open for as long as the peer is to wait.",
                e);
        }

        ThrowIfFailed();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        _process.Dispose();
    }

    private async Task WriteAndFlushAsync(ReadOnlyMemory<byte> bytes)
    {
        await _input.WriteAsync(bytes, CancellationToken.None).ConfigureAwait(false);
        await _input.FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }

    private async Task<bool> HasEndedAsync(CancellationToken cancellationToken)
    {
        using var grace = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        grace.CancelAfter(StatusGrace);
        await _process.WaitForExitAsync(grace.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _process.HasExited;
    }

    private void ThrowIfFailed()
    {
        if (_process.ExitCode != 0)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"The command of --exec has ended with status {_process.ExitCode}.", "What went wrong, it says on standard error.");
        }
    }
}
