using System.Net;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Wire;

namespace Gimlet.Quic.Interop.Foreigners;

/// <summary>
/// One cell: a foreign peer in one role, our side in the other, and the network between them. Scenarios differ in what is set here.
/// </summary>
internal sealed record Meeting(Foreign Peer, Role Role)
{
    /// <summary>Bytes that the client downloads, and where it can uploads as well.</summary>
    public long Length { get; init; } = 1;

    /// <summary>Changes what our side has in either role.</summary>
    public Func<QuicConnectionOptions, QuicConnectionOptions> Options { get; init; } = options => options;

    /// <summary>Changes what our side has as a server.</summary>
    public Func<QuicServerOptions, QuicServerOptions> ServerOptions { get; init; } = options => options;

    /// <summary>Our endpoint's own.</summary>
    public QuicEndpointOptions Endpoint { get; init; } = Protocols.Endpoint;

    /// <summary>Options of the foreign command line, by program and role; none where it is not named.</summary>
    public Func<Foreign, Role, string[]> Words { get; init; } = (_, _) => [];

    /// <summary>The network.</summary>
    public IReadOnlyList<IWireRule> Rules { get; init; } = [];

    /// <summary>Is given our connection as soon as there is one: rules that act on it find it there.</summary>
    public Action<QuicConnection> OnConnection { get; init; } = _ => { };

    /// <summary>Whether to wait until the server has seen that the client closed, which on a network that loses datagrams it may not.</summary>
    public bool WaitsForClose { get; init; }

    /// <summary>
    /// Downloads, and uploads where the peer speaks <c>gimlet-interop</c>; every byte is compared. A foreign client does so in two connections.
    /// </summary>
    /// <returns>Our connections.</returns>
    public async Task<IReadOnlyCollection<QuicConnection>> TransferAsync()
    {
        string[] words = Words(Peer, Role);
        if (Role == Role.Client)
        {
            await using var server = OurServer.Start(o => ServerOptions((QuicServerOptions)Options(o)), Endpoint, Length);
            await using var wire = UdpForwarder.Start(server.EndPoint, Rules);
            server.OnConnection = OnConnection;
            _ = await ForeignClient.DownloadAsync(Peer, wire.EndPoint, Length, words);
            if (Peer != Foreign.Ngtcp2)
            {
                _ = await ForeignClient.UploadAsync(Peer, wire.EndPoint, Length, words);
            }

            foreach (QuicConnection connection in WaitsForClose ? server.Connections : [])
            {
                _ = await connection.Closed.WaitAsync(TestContext.Current.CancellationToken);
            }

            return server.Connections;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(Peer, Length, words);
        await using var network = UdpForwarder.Start(foreign.EndPoint, Rules);
        QuicConnection ended = await TransferAsync(network.EndPoint, foreign);
        if (WaitsForClose)
        {
            await foreign.WaitForCloseAsync();
        }

        return [ended];
    }

    private async Task<QuicConnection> TransferAsync(IPEndPoint server, ForeignServer foreign)
    {
        await using OurClient client = await OurClient.ConnectAsync(server, foreign.Protocol, o => (QuicClientOptions)Options(o), Endpoint);
        OnConnection(client.Connection);
        await client.DownloadAsync(Length);
        if (Peer != Foreign.Ngtcp2)
        {
            await client.UploadAsync(Length);
        }

        return client.Connection;
    }
}
