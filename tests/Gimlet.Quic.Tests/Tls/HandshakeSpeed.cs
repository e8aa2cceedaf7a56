using System.Diagnostics;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;

namespace Gimlet.Quic.Tests.Tls;

/// <summary>
/// Not a test but a figure, hence explicit: <c>dotnet run -c Release --project tests/Gimlet.Quic.Tests -- -explicit only
/// -class Gimlet.Quic.Tests.Tls.HandshakeSpeed -showLiveOutput</c>.
/// </summary>
public sealed class HandshakeSpeed
{
    private const int WarmUp = 500;
    private const int Handshakes = 3_000;

    [Theory(Explicit = true)]
    [MemberData(nameof(Providers.Names), MemberType = typeof(Providers))]
    public void Mutual_handshakes_per_second_of_client_and_server_on_one_thread(string name)
    {
        ICurveProvider curves = Providers.Get(name).Curves;
        TlsClientOptions client = TlsPair.ClientOptions() with { Curves = curves };
        TlsServerOptions server = TlsPair.ServerOptions() with { Curves = curves };
        for (int i = 0; i < WarmUp; i++)
        {
            Shake(client, server);
        }

        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < Handshakes; i++)
        {
            Shake(client, server);
        }

        watch.Stop();
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{curves.Name}: {Handshakes / watch.Elapsed.TotalSeconds:F0} handshakes/s by the clock, {Handshakes / cpu.TotalSeconds:F0} per CPU second "
            + $"({cpu.TotalMicroseconds / Handshakes:F0} us and {allocated / Handshakes} B each, both sides together)");
    }

    private static void Shake(TlsClientOptions clientOptions, TlsServerOptions serverOptions)
    {
        using var client = new TlsClient(clientOptions, Random.Shared.NextBytes);
        using var server = new TlsServer(serverOptions, Random.Shared.NextBytes);
        client.Start();
        Carry(client, server);
        Carry(server, client);
        Carry(client, server);
        Assert.True(client.IsComplete && server.IsComplete);
    }

    private static void Carry(TlsEndpoint from, TlsEndpoint to)
    {
        while (from.TryPoll(out TlsEvent e))
        {
            e.Secret?.Dispose();
            if (e.Kind == TlsEventKind.Send)
            {
                to.Handle(e.Level, e.Data.Span);
            }
        }
    }
}
