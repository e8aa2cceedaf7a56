using System.Text;

namespace Gimlet.Quic.Hosting;

/// <summary>Appends TLS secrets to a file (RFC 9850, "SSLKEYLOGFILE"); several programs may append to the same one.</summary>
internal sealed class KeyLogFile : IDisposable
{
    // One for the process: endpoints may share a file. Between processes only the seek in front of each line keeps them apart, because the
    // platform has no way to open a file so that the system appends; two handshakes in the same microsecond could lose a line of a log that is
    // for debugging.
    private static readonly Lock Gate = new();

    private readonly FileStream _file;
    private bool _isDisposed;

    /// <summary>Opens or makes the file.</summary>
    /// <param name="path">The file; made readable for its owner only, where the system has such a thing.</param>
    public KeyLogFile(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        _file = new FileStream(path, options);
    }

    /// <summary>Appends a line. Written at once, so that a capture can be read while the program runs.</summary>
    public void Write(string line)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(line + "\n");
        lock (Gate)
        {
            if (!_isDisposed)
            {
                _ = _file.Seek(0, SeekOrigin.End);
                _file.Write(bytes);
                _file.Flush();
            }
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            _isDisposed = true;
            _file.Dispose();
        }
    }
}
