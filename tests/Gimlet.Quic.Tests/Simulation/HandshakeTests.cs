using System.Net.Security;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Keys;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation;

/// <summary>The handshake on good networks: how long it takes, and everything that it may include.</summary>
public sealed class HandshakeTests
{
    private static readonly TimeSpan Rtt = TimeSpan.FromMilliseconds(40);

    [Fact]
    public void The_client_is_connected_after_one_round_trip_and_both_know_it_after_two()
    {
        using var pair = new Pair();
        pair.SetRtt(Rtt);
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.Equal(Rtt, pair.Now);
        pair.RunUntil(() => pair.Server.IsConnected);
        Assert.Equal(1.5 * Rtt, pair.Now);
        pair.RunUntil(() => pair.IsConfirmed);
        Assert.Equal(2 * Rtt, pair.Now);
    }

    [Fact]
    public void Both_learn_the_protocol_and_the_others_key()
    {
        using var pair = new Pair();
        pair.Handshake();
        foreach (SimulatedPeer peer in (SimulatedPeer[])[pair.Client, pair.Server])
        {
            Assert.Equal(SimulatedIdentities.Protocol, peer.Core.ApplicationProtocol);
            Assert.Equal(1, peer.Count(ConnectionEventKind.Connected));
            Assert.Equal(1, peer.Count(ConnectionEventKind.Confirmed));
            Assert.False(peer.Has(ConnectionEventKind.Closed));
        }

        Assert.Equal(SimulatedIdentities.Server.Chain[0].ToArray(), pair.Client.Core.Peer!.Chain[0].ToArray());
        Assert.Equal(SimulatedIdentities.Client.Chain[0].ToArray(), pair.Server.Core.Peer!.Chain[0].ToArray());
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        ulong[] first = [.. Enumerable.Range(1, 10).Select(Trace)];
        Assert.Equal(first, Enumerable.Range(1, 10).Select(Trace));
        Assert.Equal(first.Length, first.Distinct().Count());

        static ulong Trace(int seed)
        {
            using var pair = new Pair(seed);
            pair.SetLoss(20).Reorder(10, Rtt).Corrupt(5);
            pair.Handshake().RunToIdle();
            return pair.Network.Trace.Hash;
        }
    }

    // RFC 9000 section 14.1: every datagram with an ack-eliciting Initial packet is at least 1200 bytes long.
    [Fact]
    public void Initial_packets_are_padded_and_ids_are_those_of_the_first_flight()
    {
        using var pair = new Pair(options: new PairOptions { Tapped = true });
        pair.Handshake().RunToIdle();
        Assert.Equal(0, pair.Tap!.Unreadable);
        foreach (TappedPacket packet in pair.Tap.Packets)
        {
            Assert.True(
                packet.Type != PacketType.Initial || !packet.IsAckEliciting || packet.Datagram.Bytes.Length >= 1200, packet.Datagram.ToString());
            Assert.True(packet.From != EndpointRole.Client || packet.Type != PacketType.Initial || packet.Datagram.Bytes.Length >= 1200);
        }

        Assert.Contains(FrameType.HandshakeDone, pair.Tap.FrameTypes);
        Assert.Contains(FrameType.NewConnectionId, pair.Tap.FrameTypes);
    }

    [Fact]
    public void After_the_handshake_nothing_is_sent()
    {
        using var pair = new Pair();
        pair.Handshake().RunToIdle();
        int sent = pair.Network.SentBy(EndpointRole.Client) + pair.Network.SentBy(EndpointRole.Server);
        Assert.InRange(sent, 4, 20);
    }

    [Fact]
    public void Retry_costs_one_round_trip_and_validates_the_address()
    {
        using var pair = new Pair(options: new PairOptions { Retry = true, ServerTls = LongChain(9) });
        pair.SetRtt(Rtt);
        pair.RunUntil(() => pair.Client.IsConnected);

        // The flight of more than three datagrams comes at once, because the token proved the address.
        Assert.Equal(2 * Rtt, pair.Now);
        Assert.Equal(1, pair.Server.Retries);
        pair.Handshake();
    }

    [Fact]
    public void A_hello_retry_request_costs_one_round_trip()
    {
        PairOptions options = new()
        {
            ClientTls = SimulatedIdentities.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp256r1] },
            ServerTls = SimulatedIdentities.ServerOptions() with { Groups = [NamedGroup.Secp384r1] },
        };
        using var pair = new Pair(options: options);
        pair.SetRtt(Rtt);
        pair.RunUntil(() => pair.Client.IsConnected);
        Assert.Equal(2 * Rtt, pair.Now);
        pair.Handshake();
    }

    [Fact]
    public void Retry_and_a_hello_retry_request_together_are_survived_on_a_bad_network() => Seeds.Run(100, seed =>
    {
        PairOptions options = new()
        {
            Retry = true,
            ClientTls = SimulatedIdentities.ClientOptions() with { KeyShareGroups = [NamedGroup.Secp256r1] },
            ServerTls = SimulatedIdentities.ServerOptions() with { Groups = [NamedGroup.Secp384r1] },
        };
        using var pair = new Pair(seed, Patient(options));
        pair.SetLoss(15).Reorder(10, Rtt).Duplicate(10).Corrupt(5);
        pair.Handshake();
    });

    // RFC 9000 section 8.1: "Prior to validating the client address, servers MUST NOT send more than three times as many bytes as the number of
    // bytes they have received."
    [Fact]
    public void A_server_sends_three_times_what_came_until_the_address_is_proven() => Seeds.Run(60, seed =>
    {
        using var pair = new Pair(seed, Patient(new PairOptions { ServerTls = LongChain(9) }));
        pair.SetRtt(Rtt).SetLoss(seed % 3 * 15);
        long arrived = 0, sent = 0;
        bool isValidated = false;
        Action<SimulatedDatagram>? tap = pair.Network.OnSent;
        pair.Network.OnSent = d =>
        {
            tap?.Invoke(d);
            sent += d.From == EndpointRole.Server ? d.Bytes.Length : 0;
            Assert.True(isValidated || sent <= 3 * arrived, $"{sent} bytes for {arrived}");
        };
        pair.Network.OnArrived = d =>
        {
            if (d.From == EndpointRole.Client)
            {
                arrived += d.Bytes.Length;
                isValidated |= d.Contains(PacketType.Handshake);
            }
        };
        pair.Handshake();
        Assert.True(sent > 3600);
    });

    [Fact]
    public void A_token_of_another_connection_does_no_harm()
    {
        using var pair = new Pair(options: new PairOptions { Token = new byte[40] });
        pair.Handshake();
    }

    [Fact]
    public void Both_suites_and_both_groups_are_spoken()
    {
        foreach (TlsCipherSuite suite in (TlsCipherSuite[])[TlsCipherSuite.TLS_AES_128_GCM_SHA256, TlsCipherSuite.TLS_AES_256_GCM_SHA384])
        {
            foreach (NamedGroup group in NamedGroups.All)
            {
                PairOptions options = new()
                {
                    Tapped = true,
                    ClientTls = SimulatedIdentities.ClientOptions() with { CipherSuites = [suite], Groups = [group] },
                };
                using var pair = new Pair(options: options);
                pair.Handshake().RunToIdle();
                Assert.Equal(0, pair.Tap!.Unreadable);
            }
        }
    }

    [Fact]
    public void A_refused_certificate_ends_it_on_both_sides()
    {
        PairOptions options = new()
        {
            ClientTls = SimulatedIdentities.ClientOptions() with
            {
                DecideCertificate = _ => CertificateVerdict.Refuse(TlsAlert.CertificateUnknown, "not the one that was dialled"),
            },
        };
        using var pair = new Pair(options: options);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed) && pair.Server.Has(ConnectionEventKind.Closed));
        AssertClosed(pair, CloseKind.LocalTransport, CloseKind.PeerTransport, 0x100 + (byte)TlsAlert.CertificateUnknown);
        Assert.False(pair.Client.IsConnected);
    }

    [Fact]
    public void A_client_that_the_server_refuses_hears_it_though_it_was_connected_already()
    {
        PairOptions options = new()
        {
            ServerTls = SimulatedIdentities.ServerOptions() with
            {
                DecideCertificate = _ => CertificateVerdict.Refuse(TlsAlert.AccessDenied, "not on the list"),
            },
        };
        using var pair = new Pair(options: options);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed) && pair.Server.Has(ConnectionEventKind.Closed));
        AssertClosed(pair, CloseKind.PeerTransport, CloseKind.LocalTransport, 0x100 + (byte)TlsAlert.AccessDenied);
    }

    // RFC 9001 section 8.1: no_application_protocol, 0x0178.
    [Fact]
    public void Without_a_common_protocol_there_is_no_connection()
    {
        PairOptions options = new()
        {
            ClientTls = SimulatedIdentities.ClientOptions() with { ApplicationProtocols = [new SslApplicationProtocol("other")] },
        };
        using var pair = new Pair(options: options);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed) && pair.Server.Has(ConnectionEventKind.Closed));
        AssertClosed(pair, CloseKind.PeerTransport, CloseKind.LocalTransport, 0x178);
    }

    [Fact]
    public void Version_negotiation_ends_the_attempt_unless_the_server_has_spoken()
    {
        using var pair = new Pair();
        byte[]? first = null;
        pair.Intercept(d => (first ??= [.. d.Bytes]) is null ? Fate.None : Fate.Lose);
        pair.Network.Flush();
        Assert.True(InvariantHeader.TryReadLong(first, out InvariantHeader header));
        byte[] negotiation = new byte[64];
        int length = VersionNegotiationPacket.Write(negotiation, header, [(QuicVersion)0x1a2a_3a4a], unusedBits: 0);

        using var other = new Pair();
        other.Handshake();
        other.Network.Inject(EndpointRole.Client, other.Way.Client, negotiation[..length]);
        other.RunToIdle();
        Assert.Null(other.Client.Core.Closed);

        pair.Network.Inject(EndpointRole.Client, pair.Way.Client, negotiation[..length]);
        pair.RunUntil(() => pair.Client.Has(ConnectionEventKind.Closed));
        Assert.Equal(CloseKind.VersionNegotiation, pair.Client.Closed.Kind);
    }

    // RFC 9000 section 17.2.5.2.
    [Fact]
    public void A_forged_retry_and_a_second_one_are_ignored()
    {
        byte[]? genuine = null;
        using var pair = new Pair(options: new PairOptions { Retry = true });
        pair.Network.OnArrived = d =>
        {
            if (genuine is null && d.Contains(PacketType.Retry) && pair.Server.Retries >= 2)
            {
                genuine = d.Bytes;
                pair.Network.Inject(EndpointRole.Client, pair.Way.Client, [.. d.Bytes], TimeSpan.FromMilliseconds(1));
            }
        };
        pair.Intercept(d => d.Contains(PacketType.Retry) && pair.Server.Retries == 1
            ? Fate.Replace([.. d.Bytes[..^1], (byte)(d.Bytes[^1] ^ 1)])
            : Fate.None);
        pair.Handshake();
        Assert.NotNull(genuine);
        Assert.True(pair.Server.Retries >= 2);
    }

    // Its ids would be believed, and the genuine Initial goes to the same connection: found with seed 856 of the story of bad networks.
    [Theory]
    [InlineData(7)]
    [InlineData(20)]
    [InlineData(1000)]
    public void A_first_initial_that_is_broken_leaves_nothing_behind(int changedByte)
    {
        using var pair = new Pair();
        pair.Intercept(d =>
        {
            if (d.From == EndpointRole.Server || d.Index > 0)
            {
                return Fate.None;
            }

            byte[] broken = [.. d.Bytes];
            broken[changedByte] ^= 1;
            return Fate.Replace(broken);
        });
        pair.Run(TimeSpan.FromMilliseconds(500));
        Assert.Null(pair.Server.Connection);
        Assert.Equal(0, pair.Server.Routes.ActiveCount);
        Assert.Equal(0, pair.Network.SentBy(EndpointRole.Server));
        pair.Handshake();
    }

    internal static TlsServerOptions LongChain(int more) =>
        SimulatedIdentities.ServerOptions() with { Identity = SimulatedIdentities.WithLongChain(more) };

    /// <summary>For networks on which 10 s can be too short.</summary>
    internal static PairOptions Patient(PairOptions options) =>
        options.With(s => s with { HandshakeTimeout = TimeSpan.FromMinutes(3), IdleTimeout = TimeSpan.FromMinutes(3) });

    private static void AssertClosed(Pair pair, CloseKind client, CloseKind server, long code)
    {
        Assert.Equal((client, code), (pair.Client.Closed.Kind, pair.Client.Closed.Code));
        Assert.Equal((server, code), (pair.Server.Closed.Kind, pair.Server.Closed.Code));
    }
}
