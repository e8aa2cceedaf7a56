using Gimlet.Cli.Options;

namespace Gimlet.Cli.Running.Stages;

/// <summary>Files and standard streams: what <c>--send</c> and <c>--receive</c> name. Without the one nothing is sent, and the peer is told so; without the other nothing may come.</summary>
internal sealed class FilesEnd : IStageEnd
{
    private readonly StandardStreams? _standardInput;
    private readonly StandardStreams? _standardOutput;
    private readonly FileStream? _source;
    private readonly PartFile? _target;

    private FilesEnd(StandardStreams? standardInput, StandardStreams? standardOutput, FileStream? source, PartFile? target)
    {
        _standardInput = standardInput;
        _standardOutput = standardOutput;
        _source = source;
        _target = target;
    }

    /// <inheritdoc/>
    public bool Sends => _standardInput is not null || _source is not null;

    /// <summary>Opens what the plan names.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: something cannot be opened.</exception>
    public static async Task<FilesEnd> OpenAsync(StagePlan plan, CancellationToken cancellationToken)
    {
        StandardStreams? standard = plan.Send == StagePlan.Standard || plan.Receive == StagePlan.Standard ? StandardStreams.Open("gimlet worker") : null;

        // A named pipe opens when its writer does, which may be never: the open is left behind, and ends with the process.
        FileStream? source = plan.Send is null or StagePlan.Standard
            ? null
            : await Task.Run(() => OpenSource(plan.Send), CancellationToken.None).WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return new FilesEnd(
                plan.Send == StagePlan.Standard ? standard : null,
                plan.Receive == StagePlan.Standard ? standard : null,
                source,
                plan.Receive is null or StagePlan.Standard ? null : PartFile.Create(plan.Receive));
        }
        catch
        {
            if (source is not null)
            {
                await source.DisposeAsync().ConfigureAwait(false);
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_standardInput is not null)
        {
            return await _standardInput.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            // A read of a named pipe cannot be cancelled once it stands: it is left behind.
            return _source is null ? 0 : await _source.ReadAsync(buffer, CancellationToken.None).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"{_source!.Name} cannot be read: {e.Message}", innerException: e);
        }
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_standardOutput is not null)
        {
            return _standardOutput.WriteAsync(bytes, cancellationToken);
        }

        if (_target is not null)
        {
            return _target.WriteAsync(bytes, cancellationToken);
        }

        if (bytes.IsEmpty)
        {
            // Nothing, up to its end, is what may come.
            return ValueTask.CompletedTask;
        }

        // A receipt for bytes that nobody keeps would tell the peer that they are safe.
        throw new GimletException(GimletErrorKind.LocalFault, "The peer sends, and there is no --receive.", "Give --receive FILE, or - for standard output.");
    }

    /// <inheritdoc/>
    public void AcceptNothing()
    {
        if (_standardOutput is not null || _target is not null)
        {
            throw new GimletException(
                GimletErrorKind.Transport, "The peer has nothing to send, and --receive waits for something.", "Give the peer --send or --exec; is there another --receive in the group?");
        }
    }

    /// <inheritdoc/>
    public async ValueTask CloseOutputAsync()
    {
        if (_standardOutput is not null)
        {
            await _standardOutput.CloseOutputAsync().ConfigureAwait(false);
        }
        else if (_target is not null)
        {
            await _target.FinishAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public Task FinishAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_source is not null)
        {
            await _source.DisposeAsync().ConfigureAwait(false);
        }

        if (_target is not null)
        {
            await _target.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static FileStream OpenSource(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"{path} cannot be read: {e.Message}", "Name a file that this user may read.", e);
        }
    }
}
