using System.Security.Cryptography;

namespace Gimlet.Server.Hosting.Files;

/// <summary>
/// Small files that may change while the server runs. They are read and compared by content: change notifications miss what
/// editors, configuration managers and mounted volumes do (renames, links to links), and time stamps lie.
/// </summary>
internal sealed class WatchedFiles(params string[] paths)
{
    // Certificates are a few KiB, and a list of 17,000 peers is 1 MiB; what is larger is the wrong file.
    private const long MaxBytes = 16 << 20;

    private byte[] _digest = [];

    /// <summary>Reads all files; null when they are as they were at the last call.</summary>
    /// <exception cref="IOException">A file cannot be read, or is too large.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public async Task<string[]?> ReadIfChangedAsync(CancellationToken cancellationToken)
    {
        string[] texts = new string[paths.Length];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < paths.Length; i++)
        {
            var info = new FileInfo(paths[i]);
            if (info.Exists && info.LinkTarget is null && info.Length > MaxBytes)
            {
                throw new IOException($"'{paths[i]}' has {info.Length} bytes, more than the {MaxBytes} such a file can have.");
            }

            texts[i] = await File.ReadAllTextAsync(paths[i], cancellationToken).ConfigureAwait(false);
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(texts[i]));
            hash.AppendData([0]);
        }

        byte[] digest = hash.GetHashAndReset();
        if (digest.AsSpan().SequenceEqual(_digest))
        {
            return null;
        }

        _digest = digest;
        return texts;
    }
}
