using System.Net;
using System.Net.Sockets;
using Gimlet.Quic.Tests.Api.Support;
using Gimlet.Quic.Tests.Endpoints.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Api;

/// <summary>Strangers that ask while an endpoint with a socket of its own goes away: whoever disposes of it hears nothing of them.</summary>
public sealed class StrangerTests
{
    private const int Rounds = 10;
    private const int Questions = 400;

    private static readonly ConnectionId Destination = new([1, 2, 3, 4, 5, 6, 7, 8]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Questions_while_an_endpoint_is_disposed_of_make_no_exception()
    {
        for (int round = 0; round < Rounds; round++)
        {
            var options = new QuicEndpointOptions { ShutdownLinger = TimeSpan.Zero };
            QuicEndpoint endpoint = QuicEndpoint.Bind(new IPEndPoint(IPAddress.Loopback, 0), options);
            _ = endpoint.Listen(TestEndpoints.ServerOptions with { Retry = QuicRetryPolicy.Always });
            IPEndPoint address = endpoint.LocalEndPoint!;
            using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Task asking = Task.Run(() => Ask(stranger, address), Token);

            // The loop runs, and answers.
            Assert.InRange(await stranger.ReceiveAsync(new byte[2000], Token), 1, 2000);
            await endpoint.DisposeAsync();
            await asking;
        }
    }

    private static void Ask(Socket stranger, IPEndPoint address)
    {
        byte[][] questions =
        [
            Datagrams.Initial(Destination, Destination), Datagrams.OfVersion(0x0a0a0a0a, Destination, Destination), Datagrams.Short(Destination, 100),
        ];
        for (int i = 0; i < Questions; i++)
        {
            _ = stranger.SendTo(questions[i % questions.Length], address);
        }
    }
}
