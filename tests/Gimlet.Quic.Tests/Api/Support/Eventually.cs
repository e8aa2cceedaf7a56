using System.Diagnostics;

namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>Waits for what another thread does, and fails with the test's time, not for ever.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Until all that these connections sent was acknowledged: their handshakes are confirmed, their searches for a larger packet are over.</summary>
    public static Task AtRestAsync(IReadOnlyList<QuicConnection> connections) =>
        TrueAsync(() => connections.All(static c => c.GetStatistics().BytesInFlight == 0));

    public static async Task TrueAsync(Func<bool> condition)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begin) < Limit, "what was waited for did not happen");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
