using System.Net;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>A QUIC by others behind the one command line of <c>tests/peers/README.md</c>.</summary>
internal sealed class ForeignPeer
{
    private readonly string _name;

    private ForeignPeer(string name) => _name = name;

    /// <summary>quic-go 0.29: does not follow a client that moves; updates its keys by the number of packets; finds the path's MTU.</summary>
    public static ForeignPeer QuicGo { get; } = new("quic-go");

    /// <summary>quinn 0.9.3: ECN, GSO and GRO; packets of 1,200 bytes unless told otherwise.</summary>
    public static ForeignPeer Quinn { get; } = new("quinn");

    public static ForeignPeer Named(string name) => name == QuicGo._name ? QuicGo : Quinn;

    public override string ToString() => _name;

    /// <summary>Starts a server. Skips or fails the running test where the peer cannot be built.</summary>
    /// <param name="identity">The server's own.</param>
    /// <param name="options">Further options of the command line.</param>
    public async Task<PeerServer> ServeAsync(PeerIdentity identity, params IReadOnlyList<string> options) =>
        await PeerServer.StartAsync(await PeerBuild.DemandAsync(_name), [.. Files(identity), .. options]);

    /// <summary>Runs a client to its end.</summary>
    /// <param name="server">Whom it calls.</param>
    /// <param name="identity">Its own, where the server demands one.</param>
    /// <param name="scenario">What <c>--do</c> names.</param>
    /// <param name="options">Further options of the command line.</param>
    /// <returns>The result, of a failure too: <see cref="PeerResult.Ok"/> is the program's exit code.</returns>
    public async Task<PeerResult> RunAsync(IPEndPoint server, PeerIdentity? identity, string scenario, params IReadOnlyList<string> options)
    {
        string program = await PeerBuild.DemandAsync(_name);
        await using PeerProcess client = PeerProcess.Start(
            program, ["client", "--connect", server.ToString(), "--do", scenario, .. Files(identity), .. options], PeerResult.IsResult);
        int code = await client.WaitForExitAsync();
        if (client.LinesLike(PeerResult.IsResult) is not [string line])
        {
            throw client.Failure($"the client ended with code {code} and not one result");
        }

        PeerResult result = PeerResult.Parse(line);
        return result.Ok == (code == 0) ? result : throw client.Failure($"the client ended with code {code}");
    }

    private static string[] Files(PeerIdentity? identity) =>
        identity is null ? [] : ["--cert", identity.CertificatePath, "--key", identity.KeyPath];
}
