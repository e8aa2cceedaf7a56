using System.Net.Security;
using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>Handshakes that one side refuses, and what both hear of it: RFC 9001 section 4.8 carries alerts as 0x100 and the alert.</summary>
public sealed class AlertTests
{
    // RFC 8446 section 6 and RFC 7301 section 3.2.
    private const long BadCertificate = 0x100 + 42;
    private const long CertificateRequired = 0x100 + 116;
    private const long NoApplicationProtocol = 0x100 + 120;

    private static readonly SslApplicationProtocol Strange = new("nobody-speaks-this");

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.RefusedCertificate, MemberType = typeof(InteropMatrix))]
    public async Task A_certificate_is_refused(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(
                o => o with { ClientCertificate = QuicClientCertificateMode.Required, DecideCertificate = QuicTrust.RefuseEveryone });
            using var identity = new PeerIdentity();
            await AssertRefusedAsync(peer, server, identity: null, CertificateRequired);
            await AssertRefusedAsync(peer, server, identity, BadCertificate);
            Assert.Empty(server.Connections);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1, peer == Foreign.Ngtcp2 ? [] : ["--client-ca-any"]);
        QuicException refused = await RefusalOfAsync(foreign, o => o with { DecideCertificate = _ => QuicCertificateVerdict.Refuse("not you") });
        Assert.Equal((QuicErrorKind.AuthenticationFailed, BadCertificate), (refused.Kind, refused.TransportErrorCode));
        Assert.Contains("not you", refused.Message, StringComparison.Ordinal);
        switch (peer)
        {
            case Foreign.Ngtcp2:
                // It asks for certificates and takes what comes: nothing of ours can be refused.
                await foreign.Ngtcp2.WaitForAsync("frm rx", "CONNECTION_CLOSE(0x1c)", Hex(BadCertificate));
                return;
            case Foreign.Quinn:
                PeerResult told = await foreign.Peer.WaitForEventAsync("refused");
                Assert.Equal(("transport", BadCertificate), (told.ErrorKind, told.ErrorCode));
                break;
            default:
                // quic-go tells its application of complete handshakes only.
                break;
        }

        // The client's handshake is complete before the server has seen that there is no certificate.
        QuicException missing = await RefusalOfAsync(foreign, o => o with { Certificate = null });

        // Go calls it a bad one.
        long alert = peer == Foreign.QuicGo ? BadCertificate : CertificateRequired;
        Assert.Equal((QuicErrorKind.AuthenticationFailed, alert), (missing.Kind, missing.TransportErrorCode));
    }

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.NoApplicationProtocol, MemberType = typeof(InteropMatrix))]
    public async Task A_protocol_that_the_server_does_not_have(Foreign peer, Role role)
    {
        if (role == Role.Client)
        {
            await using var server = OurServer.Start(o => o with { ApplicationProtocols = [Strange] });
            await AssertRefusedAsync(peer, server, identity: null, NoApplicationProtocol);
            Assert.Empty(server.Connections);
            return;
        }

        await using ForeignServer foreign = await ForeignServer.StartAsync(peer, 1);
        QuicException refused = await RefusalOfAsync(foreign, o => o with { ApplicationProtocols = [Strange] });
        Assert.Equal((QuicErrorKind.NoApplicationProtocol, NoApplicationProtocol), (refused.Kind, refused.TransportErrorCode));
    }

    private static async Task<QuicException> RefusalOfAsync(ForeignServer server, Func<QuicClientOptions, QuicClientOptions> configure)
    {
        try
        {
            await using OurClient client = await OurClient.ConnectAsync(server.EndPoint, server.Protocol, configure);
            return await client.Closed;
        }
        catch (QuicException e)
        {
            return e;
        }
    }

    private static async Task AssertRefusedAsync(Foreign peer, OurServer server, PeerIdentity? identity, long alert)
    {
        if (peer == Foreign.Ngtcp2)
        {
            Ngtcp2Download download = await Ngtcp2.DownloadAsync(
                server.EndPoint, ["/data"], identity is null ? [] : [$"--cert={identity.CertificatePath}", $"--key={identity.KeyPath}"]);
            Assert.All(download.Files.Values, Assert.Empty);
            Assert.True(download.Said("frm rx", "CONNECTION_CLOSE(0x1c)", Hex(alert)), string.Join('\n', download.Log));
            return;
        }

        PeerResult result = await ForeignServer.Named(peer).RunAsync(server.EndPoint, identity, "handshake");
        Assert.Equal(("transport", alert), (result.ErrorKind, result.ErrorCode));
    }

    // As ngtcp2's log has it.
    private static string Hex(long code) => $"(0x{code:x})";
}
