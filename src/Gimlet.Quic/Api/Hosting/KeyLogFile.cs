using System.Text;

namespace Gimlet.Quic.Hosting;

/// <summary>Appends TLS secrets to a file (RFC 9850, "SSLKEYLOGFILE"); several programs may append to the same one.</summary>
internal sealed class KeyLogFile : IDisposable
{
    private readonly FileStream _file;
    private readonly Lock _gate = new();
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
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _file.Write(bytes);
                _file.Flush();
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _file.Dispose();
        }
    }
}
