using System.Net.Security;
using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;
using Gimlet.Quic.Interop.Wire;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>How connections begin.</summary>
public sealed class HandshakeTests
{
    // RFC 8446 section 4.1.3: the SHA-256 of "HelloRetryRequest", in the place of a random.
    private const string HelloRetryRequest = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.MutualHandshake, MemberType = typeof(InteropMatrix))]
    public async Task Both_sides_prove_who_they_are(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(o => o with { ClientCertificate = QuicClientCertificateMode.Required });
            using var identity = new PeerIdentity();
            if (peer == Foreign.Ngtcp2)
            {
                _ = await ForeignClient.DownloadAsync(peer, server.EndPoint, 1, $"--cert={identity.CertificatePath}", $"--key={identity.KeyPath}");
            }
            else
            {
                PeerResult result = await ForeignServer.Named(peer).RunAsync(server.EndPoint, identity, "handshake");
                Assert.True(result.Ok, result.Text);
                Assert.Equal(server.CertificateSha256, result.PeerCertificateSha256);
            }

            QuicConnection connection = await server.FirstConnection;
            Assert.Equal(identity.Sha256, OurIdentity.Digest(connection.RemoteCertificate!.Chain[0]));
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1, peer == Foreign.Ngtcp2 ? "--verify-client" : "--client-ca-any");
        await using OurClient client = await OurClient.ConnectAsync(foreign.EndPoint, foreign.Protocol);
        await client.DownloadAsync(1);
        Assert.Equal(foreign.Identity.Sha256, OurIdentity.Digest(client.Connection.RemoteCertificate!.Chain[0]));
        if (peer != Foreign.Ngtcp2)
        {
            Assert.Equal(client.CertificateSha256, (await foreign.Peer.WaitForEventAsync("connection")).PeerCertificateSha256);
        }
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.HelloRetryRequest, MemberType = typeof(InteropMatrix))]
    public async Task The_server_asks_for_another_key_share(Foreign peer, Role role)
    {
        using var folder = new TemporaryFolder();
        string file = folder.PathOf("handshake.pcap");
        using (var capture = new PcapCapture(file))
        {
            // quic-go and quinn offer a share of X25519 alone, which we have not; ngtcp2 shares of its first group and of the first on a NIST curve.
            _ = await new Meeting(peer, role)
            {
                Rules = [capture],
                Words = (foreign, at) => (foreign, at) switch
                {
                    (Foreign.Ngtcp2, Role.Client) => ["--groups=-GROUP-ALL:+GROUP-X25519:+GROUP-SECP521R1:+GROUP-SECP384R1"],
                    (Foreign.Ngtcp2, Role.Server) => ["--groups=-GROUP-ALL:+GROUP-SECP384R1"],
                    _ => [],
                },
            }.TransferAsync();
        }

        IReadOnlyList<string[]> hellos = await Tshark.DecodeAsync(file, keyLog: null, "tls.handshake.type == 2", "tls.handshake.random");
        Assert.Equal(HelloRetryRequest, hellos[0][0]);
        Assert.NotEqual(HelloRetryRequest, hellos[1][0]);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.Aes256, MemberType = typeof(InteropMatrix))]
    public async Task The_longer_keys(Foreign peer, Role role) =>
        _ = await new Meeting(peer, role)
        {
            Length = 100_000,
            Options = o => o with { CipherSuites = [TlsCipherSuite.TLS_AES_256_GCM_SHA384] },
        }.TransferAsync();

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.Retry, MemberType = typeof(InteropMatrix))]
    public async Task The_server_sends_a_retry(Foreign peer, Role role)
    {
        var count = new StatelessAnswerCount();
        _ = await new Meeting(peer, role)
        {
            Length = 10_000,
            Rules = [count],
            ServerOptions = o => o with { Retry = QuicRetryPolicy.Always },
            Words = (foreign, at) => at == Role.Client ? [] : [foreign == Foreign.Ngtcp2 ? "-V" : "--retry"],
        }.TransferAsync();

        // Foreign clients of gimlet-interop have made two connections.
        Assert.Equal(role == Role.Client && peer != Foreign.Ngtcp2 ? 2 : 1, count.Retries);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.VersionNegotiation, MemberType = typeof(InteropMatrix))]
    public async Task A_version_that_the_server_does_not_have(Foreign peer, Role role)
    {
        var count = new StatelessAnswerCount();

        // RFC 9000 section 6.2: a client discards a Version Negotiation packet that lists the version it chose.
        _ = await new Meeting(peer, role) { Length = 10_000, Rules = [new StrangeVersion(), count] }.TransferAsync();
        Assert.Equal(1, count.VersionNegotiations);
        if (role == Role.Server || peer == Foreign.QuicGo)
        {
            return;
        }

        await using var server = OurServer.Start();
        if (peer == Foreign.Ngtcp2)
        {
            Ngtcp2Download download = await Ngtcp2.DownloadAsync(server.EndPoint, ["/data"], "--version=0x1a2a3a4a");
            Assert.True(download.Said("pkt rx 0 VN"), string.Join('\n', download.Log));
        }
        else
        {
            PeerResult result = await ForeignPeer.Quinn.RunAsync(server.EndPoint, identity: null, "handshake", "--version", "ff00001d");
            Assert.Equal("version", result.ErrorKind);
        }

        Assert.Empty(server.Connections);
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.ConnectAgain, MemberType = typeof(InteropMatrix))]
    public async Task Whoever_was_here_comes_again(Foreign peer, Role role)
    {
        const int Times = 3;
        var count = new StatelessAnswerCount();
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(o => o with { Retry = QuicRetryPolicy.Always });
            await using var wire = UdpForwarder.Start(server.EndPoint, count);
            if (peer == Foreign.Ngtcp2)
            {
                // It would resume, if we gave it a ticket.
                using var folder = new TemporaryFolder();
                string[] files =
                [
                    $"--token-file={folder.PathOf("token")}", $"--session-file={folder.PathOf("session")}", $"--tp-file={folder.PathOf("parameters")}",
                ];
                for (int i = 0; i < Times; i++)
                {
                    _ = await ForeignClient.DownloadAsync(peer, wire.EndPoint, 1, files);
                }
            }
            else
            {
                Assert.Equal(Times, (await ForeignClient.RunAsync(peer, wire.EndPoint, "handshakes", "--count", $"{Times}")).Count);
            }

            // None of them shows our token of NEW_TOKEN: quinn 0.9 and quic-go's program keep none, gtlsclient cannot read the file that it writes.
            Assert.Equal(Times, count.Retries);
            Assert.Equal(Times, server.Connections.Count);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1, peer == Foreign.Ngtcp2 ? "-V" : "--retry");
        await using var network = UdpForwarder.Start(foreign.EndPoint, count);
        await using OurClient client = await OurClient.ConnectAsync(network.EndPoint, foreign.Protocol);
        await client.DownloadAsync(1);
        for (int i = 1; i < Times; i++)
        {
            await client.ReconnectAsync(network.EndPoint);
            await client.DownloadAsync(1);
        }

        // A token of NEW_TOKEN is good for the next connection; quinn 0.9 gives none.
        Assert.Equal(peer == Foreign.Quinn ? Times : 1, count.Retries);
    }
}
