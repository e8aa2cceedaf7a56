using Microsoft.Win32.SafeHandles;

namespace Gimlet.Cli.Running;

/// <summary>
/// Standard input and output as plain bytes, without a buffer between them and the system. A read of a terminal or a pipe cannot be cancelled, so whoever
/// waits for one bounds the wait and leaves the read behind: it ends with the process.
/// </summary>
internal sealed class StandardStreams : IPipeEnd
{
    private const int OutputNumber = 1;

    private readonly Stream _input;
    private readonly Stream _output;
    private bool _isOutputClosed;

    private StandardStreams(Stream input, Stream output)
    {
        _input = input;
        _output = output;
    }

    /// <summary>Opens both.</summary>
    /// <param name="command">What runs, for the error.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: the process was started without one of them.</exception>
    public static StandardStreams Open(string command)
    {
        ReserveThreads();
        try
        {
            return new StandardStreams(Console.OpenStandardInput(), OpenOutput());
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"Standard input or output cannot be used: {e.Message}", $"Start {command} with both of them open.", e);
        }
    }

    /// <summary>
    /// A read and a write may stand for as long as the programs on the other end like, each on a thread of the pool: the network keeps those that it has.
    /// </summary>
    public static void ReserveThreads()
    {
        ThreadPool.GetMinThreads(out int workers, out int completions);
        _ = ThreadPool.SetMinThreads(workers + 2, completions);
    }

    /// <inheritdoc/>
    public bool Sends => true;

    /// <inheritdoc/>
    public void AcceptNothing() => throw new GimletException(GimletErrorKind.Transport, "The other side has nothing to send.");

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _input.ReadAsync(buffer, CancellationToken.None).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"Standard input cannot be read: {e.Message}", innerException: e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            ValueTask writing = _output.WriteAsync(bytes, CancellationToken.None);
            if (writing.IsCompletedSuccessfully)
            {
                await writing.ConfigureAwait(false);
            }
            else
            {
                await writing.AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (IOException e)
        {
            throw OutputFailed(e);
        }
    }

    /// <summary>Nothing more will be written: who reads standard output learns it now, while this process goes on.</summary>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: the last bytes could not be written.</exception>
    public async ValueTask CloseOutputAsync()
    {
        if (_isOutputClosed)
        {
            return;
        }

        _isOutputClosed = true;
        try
        {
            await _output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
            if (_output is FileStream { CanSeek: true } file)
            {
                // Asking for the handle moves the file's own position behind what was written, where the next program of a shell's group goes on.
                _ = file.SafeFileHandle;
            }

            OutputEnd.Tell();
        }
        catch (IOException e)
        {
            throw OutputFailed(e);
        }
    }

    // The console's own stream takes a reader that is gone for success ("just quit", its source says), so on Unix the file is used itself.
    private static Stream OpenOutput() => OperatingSystem.IsWindows()
        ? Console.OpenStandardOutput()
        : new FileStream(new SafeFileHandle(OutputNumber, ownsHandle: false), FileAccess.Write, bufferSize: 0);

    private static GimletException OutputFailed(IOException cause) => new(
        GimletErrorKind.LocalFault,
        $"Standard output takes no more bytes: {cause.Message}",
        "The program that reads it has ended, or its disk is full.",
        cause);
}
