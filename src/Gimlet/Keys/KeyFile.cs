using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gimlet;

/// <summary>The file that holds a node's private key, and beside it the UDP port that the key used last.</summary>
public sealed class KeyFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnly | UnixFileMode.UserExecute;

    // A second in all: another process needs some milliseconds to make the key.
    private const int MaxTries = 50;
    private static readonly TimeSpan TryInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Names a key file; nothing is read or made yet.</summary>
    /// <param name="path">Where it is; null for <see cref="DefaultPath"/>.</param>
    public KeyFile(string? path = null) => Path = System.IO.Path.GetFullPath(path ?? DefaultPath);

    /// <summary><c>gimlet/key.pem</c> in the user's configuration folder.</summary>
    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify), "gimlet", "key.pem");

    /// <summary>Where the key is.</summary>
    public string Path { get; }

    private string PortPath => Path + ".port";

    /// <summary>Reads the key, or makes it on first use with permissions for the owner only.</summary>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: it cannot be read, is not a key, or others may read it.</exception>
    public NodeIdentity LoadOrCreate()
    {
        try
        {
            return File.Exists(Path) ? Load() : Create();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"The key file {Path} cannot be used: {e.Message}", "Name another file with --key, or use --ephemeral.", e);
        }
    }

    /// <summary>The port that this key used last; 0 when that is not known.</summary>
    public int ReadLastPort()
    {
        try
        {
            return int.TryParse(File.ReadAllText(PortPath), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is > 0 and <= ushort.MaxValue ? port : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The port is a convenience: without it the node takes any port.
            return 0;
        }
    }

    /// <summary>Remembers the port, so that the next run keeps the NAT mapping that peers were told.</summary>
    /// <param name="port">The local UDP port.</param>
    /// <returns>False when the file could not be written; nothing depends on it.</returns>
    public bool TryWriteLastPort(int port)
    {
        try
        {
            File.WriteAllText(PortPath, port.ToString(CultureInfo.InvariantCulture));
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private NodeIdentity Load()
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(Path) & ~OwnerOnlyFolder) != UnixFileMode.None)
        {
            throw new GimletException(
                GimletErrorKind.LocalFault,
                $"The key file {Path} can be read by others: whoever reads it can pretend to be this node.",
                $"chmod 600 '{Path}', or make a new key if it may have been copied.");
        }

        string pem = File.ReadAllText(Path);
        try
        {
            return NodeIdentity.FromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new GimletException(GimletErrorKind.LocalFault, $"The key file {Path} holds no P-256 private key in PEM form.", "Move the file away to have a new key made.", e);
        }
    }

    private NodeIdentity Create()
    {
        string folder = System.IO.Path.GetDirectoryName(Path)!;
        if (OperatingSystem.IsWindows())
        {
            _ = Directory.CreateDirectory(folder);
        }
        else if (!Directory.Exists(folder))
        {
            _ = Directory.CreateDirectory(folder, OwnerOnlyFolder);
        }

        // Processes that start at the same moment must end with one key, and none may read half of it. File.Move would do, but on Unix it looks
        // first and renames then, over what came in between. So: whoever holds this file writes it whole, and gives it its name only then.
        string temporary = Path + ".new";
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        for (int tries = 1; ; tries++)
        {
            try
            {
                using var file = new FileStream(temporary, options);

                if (!File.Exists(Path))
                {
                    return Write(file, temporary);
                }

                // The other was first. What we hold is the key itself, which got its name meanwhile, or a file that nobody needs any more.
                File.Delete(temporary);
                return Load();
            }
            catch (IOException) when (tries < MaxTries)
            {
                // Another process is at it; it takes milliseconds.
                Thread.Sleep(TryInterval);
                if (File.Exists(Path))
                {
                    return Load();
                }
            }
        }
    }

    private NodeIdentity Write(FileStream file, string temporary)
    {
        var identity = NodeIdentity.Create();
        try
        {
            file.SetLength(0);
            file.Write(Encoding.ASCII.GetBytes(identity.ExportPem() + '\n'));
            file.Flush(flushToDisk: true);
            File.Move(temporary, Path, overwrite: false);
            return identity;
        }
        catch
        {
            // A full disk, for one. The next start begins the file anew.
            identity.Dispose();
            throw;
        }
    }
}
