using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Hostile;

/// <summary>Every case of the table, against every role that it concerns.</summary>
public sealed class HostileCaseTests
{
    // Small, so that limits are reached with few packets; no DATAGRAM frames.
    private static readonly PairOptions Options = new PairOptions().With(s => s with
    {
        StreamWindow = Attack.StreamWindow,
        ConnectionWindow = Attack.ConnectionWindow,
        MaxBidirectionalStreams = Attack.MaxStreams,
        MaxUnidirectionalStreams = Attack.MaxStreams,
        DatagramQueueBytes = 0,
    });

    public static TheoryData<string, string, bool> Cases
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (HostileCase attack in HostileCases.All)
            {
                foreach (EndpointRole role in Enum.GetValues<EndpointRole>())
                {
                    if (attack.Victim is null || attack.Victim == role)
                    {
                        data.Add(attack.Section, attack.What, role == EndpointRole.Client);
                    }
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Closes_the_connection(string section, string what, bool victimIsClient)
    {
        HostileCase attack = HostileCases.All.Single(c => c.Section == section && c.What == what);
        using var world = new HostileWorld(victimIsClient ? EndpointRole.Client : EndpointRole.Server, Options);
        world.Handshake();
        attack.Send(new Attack(world));
        if (attack.Codes.Contains(TransportErrorCode.NoError))
        {
            // The stream's state may be gone already; then nothing has to happen.
            world.Run(TimeSpan.FromSeconds(1));
            if (world.Core.Closed is null)
            {
                return;
            }
        }

        world.RunUntilClosed($"{section} {what}");
        CloseReason closed = world.Victim.Closed;
        Assert.True(
            closed.Kind == CloseKind.LocalTransport && attack.Codes.Contains((TransportErrorCode)closed.Code),
            $"{attack}: expected {string.Join(" or ", attack.Codes)}, got {closed}");
        Assert.Equal((false, closed.Code), (world.Peer.Close!.Value.IsApplication, world.Peer.Close.Value.Code));
        Assert.NotEmpty(closed.Reason);
    }

    // RFC 9000 section 12.4, table 3: what Initial and Handshake packets must not contain.
    [Fact]
    public void Frames_in_packets_that_must_not_contain_them_close_the_connection()
    {
        foreach (PacketType packet in (PacketType[])[PacketType.Initial, PacketType.Handshake])
        {
            for (FrameType type = FrameType.Padding; type <= FrameType.DatagramWithLength; type++)
            {
                if (FrameRules.IsKnown(type) && !FrameRules.IsAllowed(type, packet))
                {
                    AssertRefusedInHandshake(packet, [(byte)type, .. new byte[40]], TransportErrorCode.ProtocolViolation);
                }
            }

            AssertRefusedInHandshake(packet, RawFrames.Of((FrameType)0x21), TransportErrorCode.FrameEncodingError);
        }
    }

    // RFC 9000 sections 7.3, 7.4 and 18.2.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Transport_parameters_that_are_wrong_close_the_connection(bool victimIsClient)
    {
        Dictionary<string, Func<TransportParameters, TransportParameters>> wrong = new()
        {
            ["7.3 initial_source_connection_id is missing"] = p => p with { InitialSourceConnectionId = null },
            ["7.3 initial_source_connection_id is another one"] = p => p with { InitialSourceConnectionId = new ConnectionId([1, 2, 3]) },
            ["18.2 active_connection_id_limit below 2"] = p => p with { ActiveConnectionIdLimit = 1 },
            ["18.2 max_udp_payload_size below 1200"] = p => p with { MaxUdpPayloadSize = 1199 },
            ["18.2 ack_delay_exponent above 20"] = p => p with { AckDelayExponent = 21 },
            ["18.2 max_ack_delay of 2^14"] = p => p with { MaxAckDelay = 1 << 14 },
            ["18.2 initial_max_streams_bidi above 2^60"] = p => p with { InitialMaxStreamsBidirectional = (1L << 60) + 1 },
            ["18.2 initial_max_streams_uni above 2^60"] = p => p with { InitialMaxStreamsUnidirectional = (1L << 60) + 1 },
        };
        if (victimIsClient)
        {
            wrong.Add("7.3 original_destination_connection_id is missing", p => p with { OriginalDestinationConnectionId = null });
            wrong.Add(
                "7.3 original_destination_connection_id is another one", p => p with { OriginalDestinationConnectionId = new ConnectionId([9]) });
            wrong.Add("7.3 retry_source_connection_id without a Retry", p => p with { RetrySourceConnectionId = new ConnectionId([9]) });
        }

        foreach ((string what, Func<TransportParameters, TransportParameters> change) in wrong)
        {
            AssertParametersRefused(what, victimIsClient, peer => peer.Parameters = change);
        }

        AssertParametersRefused("7.4 cut short", victimIsClient, peer => peer.EncodedParameters = b => b[..^1]);
        AssertParametersRefused("7.4 twice", victimIsClient, peer => peer.EncodedParameters = b => [.. b, 0x0b, 1, 1, 0x0b, 1, 1]);
        if (!victimIsClient)
        {
            AssertParametersRefused(
                "18.2 stateless_reset_token of a client", victimIsClient, peer => peer.EncodedParameters = b => [.. b, 0x02, 16, .. new byte[16]]);
            AssertParametersRefused(
                "18.2 original_destination_connection_id of a client", victimIsClient, peer => peer.EncodedParameters = b => [.. b, 0x00, 1, 1]);
        }
    }

    private static void AssertRefusedInHandshake(PacketType packet, byte[] frames, TransportErrorCode code)
    {
        foreach (EndpointRole victim in Enum.GetValues<EndpointRole>())
        {
            using var world = new HostileWorld(victim, Options);
            bool isSent = false;
            world.Peer.Handshake = (level, bytes) =>
            {
                if (!isSent && world.Peer.HasKeys(packet))
                {
                    isSent = true;
                    world.Peer.Send(packet, frames);
                }

                return bytes;
            };
            world.Start();
            world.RunUntilClosed($"{(FrameType)frames[0]} in {packet} to the {victim}");
            Assert.Equal((CloseKind.LocalTransport, (long)code), (world.Victim.Closed.Kind, world.Victim.Closed.Code));
        }
    }

    private static void AssertParametersRefused(string what, bool victimIsClient, Action<HostilePeer> change)
    {
        using var world = new HostileWorld(victimIsClient ? EndpointRole.Client : EndpointRole.Server, Options);
        change(world.Peer);
        world.Start().RunUntilClosed(what);
        Assert.Equal(
            (what, CloseKind.LocalTransport, (long)TransportErrorCode.TransportParameterError),
            (what, world.Victim.Closed.Kind, world.Victim.Closed.Code));
        Assert.False(world.Victim.IsConnected);
    }
}
