using Gimlet.Quic.Interop.Peers;

[assembly: AssemblyFixture(typeof(PreparedPeers))]

namespace Gimlet.Quic.Interop.Peers;

/// <summary>Before the first test: a build of minutes is no part of anybody's deadline.</summary>
public sealed class PreparedPeers : IAsyncLifetime
{
    public async ValueTask InitializeAsync() => await PeerBuild.PrepareAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
