using System.Globalization;
using Gimlet.Bench.Common;

namespace Gimlet.Bench.Quic.Comparing;

/// <summary>This program in its roles: Gimlet or SslStream. Both processes live through all rounds, so that code is compiled before the first.</summary>
internal sealed class OwnContestant : Contestant
{
    private const int MaxWarmUpSeconds = 20;

    private readonly PinnedProcess _server;
    private readonly PinnedProcess _client;

    public OwnContestant(string name, string library, BenchOptions options, Workload workload, Identity identity)
        : base(name)
    {
        _server = PinnedProcess.StartRole(CoresFor(options, workload, isServer: true), "--role-server", library, identity.Folder);
        string port = _server.ReadLine();
        _client = PinnedProcess.StartRole(
            CoresFor(options, workload, isServer: false), "--role-client", library, identity.Folder, port, workload.ToString());
        WarmUp(options.WarmUp);
    }

    public override Round Run(int seconds)
    {
        (double processor, long allocated) = AskServer();
        _client.Input.WriteLine(seconds.ToString(CultureInfo.InvariantCulture));
        string[] parts = _client.ReadLine().Split(' ');
        (double processorAfter, long allocatedAfter) = AskServer();
        return new Round(
            long.Parse(parts[0], CultureInfo.InvariantCulture),
            long.Parse(parts[1], CultureInfo.InvariantCulture),
            double.Parse(parts[2], CultureInfo.InvariantCulture),
            processorAfter - processor,
            double.Parse(parts[3], CultureInfo.InvariantCulture),
            allocatedAfter - allocated + long.Parse(parts[4], CultureInfo.InvariantCulture));
    }

    public override void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    // The runtime compiles anew what was called often: that takes calls and not seconds, so on a machine that does other things as well it takes longer.
    private void WarmUp(double processorSeconds)
    {
        for (int second = 0; processorSeconds > 0 && second < MaxWarmUpSeconds; second++)
        {
            Round round = Run(1);
            processorSeconds -= round.ServerProcessor + round.ClientProcessor;
        }
    }

    private (double Processor, long Allocated) AskServer()
    {
        _server.Input.WriteLine();
        string[] parts = _server.ReadLine().Split(' ');
        return (double.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
