using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Trace;

/// <summary>
/// Opens a file for each connection's trace. Meant for who looks for a fault: each connection, also a stranger's, makes a file.
/// </summary>
internal static class QlogFile
{
    /// <summary>The environment variable that names a directory; the QUIC interop runner and many others use it.</summary>
    public const string DirectoryVariable = "QLOGDIR";

    // A write to the file for some hundred events.
    private const int BufferSize = 64 * 1024;

    /// <summary>Opens <c>{original id}_{client or server}.sqlog</c>.</summary>
    /// <param name="directory">Where; null: what QLOGDIR says. It must exist.</param>
    /// <param name="role">Which side this is.</param>
    /// <param name="originalDestination">The Destination Connection ID of the client's very first Initial packet.</param>
    /// <param name="clock">The wall clock.</param>
    /// <returns>
    /// Null where no directory is named, or the file cannot be made; also where it exists, for a client may choose an id that was there before,
    /// and what was written then is kept.
    /// </returns>
    public static IConnectionTrace? TryOpen(string? directory, EndpointRole role, in ConnectionId originalDestination, TimeProvider clock)
    {
        directory ??= Environment.GetEnvironmentVariable(DirectoryVariable);
        if (string.IsNullOrEmpty(directory))
        {
            return null;
        }

        string name = $"{originalDestination}_{(role == EndpointRole.Client ? "client" : "server")}.sqlog";
        try
        {
            var file = new FileStream(Path.Combine(directory, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferSize);
            return new QlogTrace(file, role, originalDestination, clock.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
