namespace Gimlet.Bench.Quic.Comparing;

/// <summary>A server process and whoever loads it, for one workload.</summary>
internal abstract class Contestant(string name) : IDisposable
{
    public string Name { get; } = name;

    /// <summary>Runs the load.</summary>
    public abstract Round Run(int seconds);

    public abstract void Dispose();

    /// <summary>Where a process of a workload may run: transfers share both cores, handshakes get one core for each side.</summary>
    protected static string CoresFor(BenchOptions options, Workload workload, bool isServer) =>
        workload == Workload.Handshakes ? options.Cores.Split(',')[isServer ? 0 : 1] : options.Cores;
}
