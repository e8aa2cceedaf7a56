using Gimlet.Server.Access;
using Gimlet.Server.Observability;
using Microsoft.Extensions.Logging;

namespace Gimlet.Server.Hosting.Files;

/// <summary>The list of peers in a file, kept current.</summary>
internal sealed class AccessFile
{
    private readonly string _path;
    private readonly WatchedFiles _file;
    private readonly ILogger _logger;
    private string? _problem;

    private AccessFile(string path, ILogger logger)
    {
        _path = path;
        _file = new WatchedFiles(path);
        _logger = logger;
    }

    /// <summary>What the core asks.</summary>
    public ListAccess Policy { get; private set; } = new("", []);

    /// <summary>Reads the file for the first time.</summary>
    /// <exception cref="ServerStartException">It cannot be used: a server that starts with nobody on its list helps nobody.</exception>
    public static async Task<AccessFile> OpenAsync(string path, ILogger logger, CancellationToken cancellationToken)
    {
        var file = new AccessFile(path, logger);
        try
        {
            string[]? texts = await file._file.ReadIfChangedAsync(cancellationToken).ConfigureAwait(false);
            file.Policy = new ListAccess($"listed in '{path}'", PeerList.Parse(texts![0]));
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new ServerStartException($"The access list '{path}' cannot be used: {e.Message}", "Name a text file with one peer id per line.", e);
        }
    }

    /// <summary>Takes a changed file over; true when the list is another one now.</summary>
    public async Task<bool> CheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await _file.ReadIfChangedAsync(cancellationToken).ConfigureAwait(false) is not [string text])
            {
                return false;
            }

            List<PeerId> peers = PeerList.Parse(text);
            Policy.Replace(peers);
            _problem = null;
            ServerLog.AccessListRead(_logger, _path, peers.Count);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            // Said once per problem: a file that stays broken would fill the log.
            if (_problem != e.Message)
            {
                _problem = e.Message;
                ServerLog.AccessListKept(_logger, _path, e.Message);
            }

            return false;
        }
    }
}
