using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Hosting;

/// <summary>
/// The paths that a connection holds at the sender. A peer that moves about makes new ones; the one that was used longest ago is let go, so that
/// it cannot make the sender remember without end.
/// </summary>
internal sealed class HeldPaths(IDatagramSender sender)
{
    // active_connection_id_limit is 8: no more paths can be in use at once (RFC 9000 section 9.5).
    private const int Max = 8;

    private readonly List<PathId> _paths = new(1);

    /// <summary>The connection uses the path.</summary>
    /// <param name="path">The path.</param>
    /// <param name="current">The one that data goes out on; it is never let go.</param>
    public void Hold(PathId path, PathId current)
    {
        // The one used last is at the end.
        if (_paths.Remove(path))
        {
            _paths.Add(path);
            return;
        }

        if (_paths.Count == Max)
        {
            Release(_paths[0] == current ? 1 : 0);
        }

        _paths.Add(path);
        sender.Hold(new QuicPath(path.Value));
    }

    /// <summary>The connection does not use the path any longer.</summary>
    public void Release(PathId path)
    {
        int index = _paths.IndexOf(path);
        if (index >= 0)
        {
            Release(index);
        }
    }

    public void ReleaseAll()
    {
        while (_paths.Count > 0)
        {
            Release(_paths.Count - 1);
        }
    }

    private void Release(int index)
    {
        var path = new QuicPath(_paths[index].Value);
        _paths.RemoveAt(index);
        sender.Release(path);
    }
}
