namespace Gimlet.Quic.Tests.Api.Support;

/// <summary>How many datagrams are on their way between endpoints in memory, or being handled at the other end.</summary>
internal sealed class Traffic
{
    // Of a wait that a defect made endless.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly object _gate = new();
    private int _underWay;

    public void Began()
    {
        lock (_gate)
        {
            _underWay++;
        }
    }

    public void Ended(int count)
    {
        lock (_gate)
        {
            _underWay -= count;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>
    /// Waits until all that was sent was handled, and so was all that was sent in answer: then nothing happens any more unless a clock moves or somebody
    /// calls an endpoint.
    /// </summary>
    public void WaitUntilQuiet()
    {
        lock (_gate)
        {
            while (_underWay > 0)
            {
                Assert.True(Monitor.Wait(_gate, Limit), "the endpoints do not come to rest");
            }
        }
    }
}
