namespace Gimlet.Cli.Running.Stages;

/// <summary>
/// A file that comes into being whole: its bytes go to <c>FILE.part</c>, which gets the name when everything is there. Until then what had the name before keeps it.
/// </summary>
internal sealed class PartFile : IAsyncDisposable
{
    private const string Suffix = ".part";

    private readonly string _path;
    private readonly FileStream _file;
    private bool _isDone;

    private PartFile(string path, FileStream file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>Begins a file.</summary>
    /// <param name="path">Its name.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: it cannot be written there.</exception>
    public static PartFile Create(string path)
    {
        try
        {
            // What an earlier run has left is written over; a run that is still at it is not.
            return new PartFile(path, new FileStream(path + Suffix, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(path, e);
        }
    }

    /// <summary>Writes the next bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: they cannot be written.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await _file.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw Failed(_path, e);
        }
    }

    /// <summary>Everything is there: the file gets its name, and a power cut does not take it away.</summary>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: it cannot.</exception>
    public async ValueTask FinishAsync()
    {
        try
        {
            RandomAccess.FlushToDisk(_file.SafeFileHandle);
            await _file.DisposeAsync().ConfigureAwait(false);
            File.Move(_path + Suffix, _path, overwrite: true);
            _isDone = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(_path, e);
        }
    }

    /// <summary>Half a file is of no use to anybody.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDone)
        {
            return;
        }

        await _file.DisposeAsync().ConfigureAwait(false);
        try
        {
            File.Delete(_path + Suffix);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays, under a name that says what it is; the next run writes over it.
        }
    }

    private static GimletException Failed(string path, Exception cause) => new(
        GimletErrorKind.LocalFault, $"{path}{Suffix} cannot be written, or cannot become {path}: {cause.Message}", "Name a file in a folder that this user may write to, on a disk with room.", cause);
}
