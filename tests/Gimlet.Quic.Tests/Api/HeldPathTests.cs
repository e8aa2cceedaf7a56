using Gimlet.Quic.Hosting;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class HeldPathTests : IDisposable
{
    private static readonly PathId Current = new(1);

    private readonly MemoryNetwork _network = new();
    private readonly HeldPaths _paths;

    public HeldPathTests()
    {
        _paths = new HeldPaths(_network);
        _paths.Hold(Current, Current);
    }

    public void Dispose() => _network.Dispose();

    // As a client that probes one path after the other while it stays on the first.
    [Fact]
    public void The_path_in_use_is_never_let_go_however_many_come_after_it()
    {
        for (int i = 2; i < 100; i++)
        {
            _paths.Hold(new PathId(i), Current);
            Assert.Equal(1, _network.Held[new QuicPath(1)]);
            Assert.InRange(_network.Held.Count, 2, 8);
        }

        // Of the others the newest are held.
        Assert.Equal([1, .. Enumerable.Range(93, 7)], _network.Held.Keys.Select(p => p.Value).Order());
        _paths.ReleaseAll();
        Assert.Empty(_network.Held);
    }

    [Fact]
    public void A_path_that_failed_is_let_go_once()
    {
        var failed = new PathId(2);
        _paths.Hold(failed, Current);
        _paths.Hold(failed, Current);
        Assert.Equal(1, _network.Held[new QuicPath(2)]);
        _paths.Release(failed);
        _paths.Release(failed);
        Assert.Equal([new QuicPath(1)], _network.Held.Keys);
        _paths.Release(new PathId(77));
        Assert.Equal(1, _network.Held[new QuicPath(1)]);
    }
}
