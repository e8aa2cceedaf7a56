using System.Globalization;
using System.Security.Cryptography;

namespace Gimlet;

/// <summary>The file that holds a node's private key, and beside it the UDP port that the key used last.</summary>
public sealed class KeyFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnly | UnixFileMode.UserExecute;

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

        var identity = NodeIdentity.Create();
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnly;
        }

        // Written whole under another name first, so that a process that starts at the same moment never reads half a key.
        string temporary = $"{Path}.{Guid.NewGuid():N}";
        try
        {
            using (var writer = new StreamWriter(temporary, options))
            {
                writer.WriteLine(identity.ExportPem());
            }

            File.Move(temporary, Path, overwrite: false);
            return identity;
        }
        catch (IOException) when (File.Exists(Path))
        {
            // The other process was first: its key is the node's key.
            File.Delete(temporary);
            identity.Dispose();
            return Load();
        }
        catch
        {
            // A full disk, for one: half a key is nobody's.
            File.Delete(temporary);
            identity.Dispose();
            throw;
        }
    }
}
