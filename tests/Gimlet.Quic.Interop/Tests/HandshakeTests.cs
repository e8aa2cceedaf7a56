using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Tests;

public sealed class HandshakeTests
{
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
}
