using Microsoft.AspNetCore.Http.Features;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>An upgrade whose stream has room for pings. The framework's middleware does the handshake over it as over any other.</summary>
internal sealed class PingUpgrade(IHttpUpgradeFeature inner) : IHttpUpgradeFeature
{
    /// <summary>The stream; null until the upgrade.</summary>
    public PingStream? Stream { get; private set; }

    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    public async Task<Stream> UpgradeAsync()
    {
        Stream = new PingStream(await inner.UpgradeAsync().ConfigureAwait(false));
        return Stream;
    }
}
