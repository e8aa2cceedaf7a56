using Gimlet.Quic.Connections;
using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Simulation.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Hostile;

/// <summary>Memory is measured, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(FloodTests), DisableParallelization = true)]
public sealed class FloodCollection;

/// <summary>
/// A peer that sends much of what is permitted: memory stays bounded, and so does what comes back. Each answers to something that happened to others
/// (CVE-2023-49295, CVE-2024-22189, CVE-2023-44487).
/// </summary>
[Collection(nameof(FloodTests))]
public sealed class FloodTests
{
    // More than all windows and queues of a connection that are not used on purpose; less than what any of these floods would be if it were kept.
    private const long MemoryBound = 8 * 1024 * 1024;
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    public static TheoryData<bool> Victims => new(false, true);

    [Theory]
    [MemberData(nameof(Victims))]
    public void Path_challenges(bool isClient) => Flood(isClient, 3000, (a, n) =>
    {
        byte[][] challenges = new byte[100][];
        for (int i = 0; i < challenges.Length; i++)
        {
            challenges[i] = RawFrames.PathChallenge(((ulong)n << 32) | (uint)i);
        }

        a.Frames(challenges);
    });

    // Not even its answers are acknowledged: what is to be retired piles up.
    [Theory]
    [MemberData(nameof(Victims))]
    public void New_connection_ids_that_retire_all_before(bool isClient) => Flood(
        isClient,
        20_000,
        (a, n) =>
        {
            a.Peer.Acknowledges = false;
            a.Frames(RawFrames.NewConnectionId(n + 1, n + 1, [9, 9, 9, 9, (byte)(n >> 16), (byte)(n >> 8), (byte)n], (byte)n));
        },
        TransportErrorCode.ConnectionIdLimitError);

    [Theory]
    [MemberData(nameof(Victims))]
    public void Retirement_of_every_id_as_soon_as_it_comes(bool isClient)
    {
        using var world = new HostileWorld(Role(isClient));
        Flood(world, 3000, (a, n) => a.Frames(RawFrames.Of(FrameType.RetireConnectionId, n + 1)), TransportErrorCode.ProtocolViolation);
        Assert.InRange(world.Victim.Routes.ActiveCount, 0, 16);
    }

    [Theory]
    [MemberData(nameof(Victims))]
    public void Single_bytes_of_a_stream_with_gaps_between_them(bool isClient) => Flood(
        isClient,
        20_000,
        (a, n) => a.Frames(RawFrames.Stream(a.Bidi(0), (2 * n) + 1, "x")),
        TransportErrorCode.InternalError,
        TransportErrorCode.FlowControlError);

    [Theory]
    [MemberData(nameof(Victims))]
    public void Single_bytes_of_many_streams_far_away(bool isClient) => Flood(
        isClient, 5000, (a, n) => a.Frames(RawFrames.Stream(a.Bidi(n % 100), 5_000 + (n / 100), "x")), TransportErrorCode.FlowControlError);

    [Theory]
    [MemberData(nameof(Victims))]
    public void Single_bytes_of_crypto_with_gaps_between_them(bool isClient) => Flood(
        isClient, 20_000, (a, n) => a.Frames(RawFrames.Crypto((2 * n) + 1, [0])), TransportErrorCode.CryptoBufferExceeded);

    // Every other packet of the victim's, again and again, in as many ranges as fit.
    [Theory]
    [MemberData(nameof(Victims))]
    public void Acknowledgements_of_hundreds_of_ranges(bool isClient) => Flood(
        isClient,
        5000,
        (a, n) =>
        {
            long[] ranges = new long[Math.Min(400, Math.Max(0, n - 2))];
            a.Frames(RawFrames.Ping, RawFrames.Ack(Math.Min(n / 2, 3), 0, ranges.Length >= 2 ? [0, 0] : []));
        },
        TransportErrorCode.ProtocolViolation,
        TransportErrorCode.FrameEncodingError);

    [Theory]
    [MemberData(nameof(Victims))]
    public void Pings(bool isClient) => Flood(isClient, 20_000, (a, _) => a.Frames(RawFrames.Ping));

    [Theory]
    [MemberData(nameof(Victims))]
    public void Packets_whose_numbers_have_gaps(bool isClient) => Flood(isClient, 10_000, (a, n) =>
    {
        a.Peer.Acknowledges = false;
        a.Peer.SendBytes(a.Peer.Seal(PacketType.OneRtt, RawFrames.Ping, 1000 + (3L * n)));
    });

    [Theory]
    [MemberData(nameof(Victims))]
    public void Datagrams_that_nobody_takes(bool isClient)
    {
        using var world = new HostileWorld(Role(isClient));
        Flood(world, 20_000, (a, _) => a.Frames(RawFrames.Datagram(new byte[1000])));
        byte[] buffer = new byte[2000];
        int count = 0;
        while (world.Core.TryReceiveDatagram(buffer, out _))
        {
            count++;
        }

        Assert.InRange(count, 1, 1100);
    }

    // The "rapid reset" of HTTP/2: open and end streams faster than anyone takes them.
    [Theory]
    [MemberData(nameof(Victims))]
    public void Streams_that_are_opened_and_reset_while_nobody_looks(bool isClient) => Flood(
        isClient,
        10_000,
        (a, n) => a.Frames(RawFrames.Of(FrameType.ResetStream, a.Uni(n), 0, 0)),
        TransportErrorCode.StreamLimitError);

    [Theory]
    [MemberData(nameof(Victims))]
    public void Streams_that_are_opened_and_reset_while_the_application_looks(bool isClient)
    {
        using var world = new HostileWorld(Role(isClient));
        Flood(
            world,
            10_000,
            (a, n) =>
            {
                a.World.Victim.Application ??= (peer, _) =>
                {
                    while (peer.Core.Streams.TryPollEvent(out StreamEvent _))
                    {
                    }
                };
                a.Frames(RawFrames.Of(FrameType.ResetStream, a.Uni(n), 0, 0));
                a.World.Run(Millisecond * 50);
            });
        Assert.InRange(world.Core.Streams.OpenCount, 0, 100);
    }

    [Fact]
    public void Tokens() => Flood(isClient: true, 5000, (a, n) => a.Frames(RawFrames.NewToken(new byte[1000])));

    // Valid packets from ever new addresses, as a NAT that rebinds without end, or somebody who wants state for each.
    [Fact]
    public void Packets_from_ever_new_addresses() => Flood(
        isClient: false,
        500,
        (a, _) =>
        {
            Way way = a.World.Network.AddWay();
            a.World.Network.Inject(EndpointRole.Server, way.Server, a.Peer.Seal(PacketType.OneRtt, RawFrames.Ping));
            a.World.Run(Millisecond);
        },
        TransportErrorCode.NoViablePath);

    // What cannot be opened yet is kept, but not all of it.
    [Fact]
    public void Packets_that_come_before_their_keys()
    {
        using var world = new HostileWorld(EndpointRole.Server);
        world.Peer.Handshake = (level, bytes) => level == EncryptionLevel.Handshake ? [] : bytes;
        world.Start().Run(TimeSpan.FromMilliseconds(100));
        long before = GC.GetTotalMemory(forceFullCollection: true);
        byte[] packet = new byte[1200];
        packet[0] = 0x41;
        world.Peer.Victim.CopyTo(packet.AsSpan(1));
        for (int i = 0; i < 20_000; i++)
        {
            world.Network.Inject(EndpointRole.Server, new PathId(101), [.. packet]);
            world.Run(TimeSpan.FromTicks(1));
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MemoryBound);
    }

    private static EndpointRole Role(bool isClient) => isClient ? EndpointRole.Client : EndpointRole.Server;

    private static void Flood(bool isClient, int count, Action<Attack, int> send, params TransportErrorCode[] mayCloseWith)
    {
        using var world = new HostileWorld(Role(isClient));
        Flood(world, count, send, mayCloseWith);
    }

    private static void Flood(HostileWorld world, int count, Action<Attack, int> send, params TransportErrorCode[] mayCloseWith)
    {
        world.Handshake();
        var attack = new Attack(world);
        EndpointRole hostile = world.Peer.Role;
        long sentBytes = 0, sent = 0;
        world.Network.OnSent = d =>
        {
            sent += d.From == hostile ? 1 : 0;
            sentBytes += d.From == hostile ? d.Bytes.Length : 0;
        };
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long answered = world.Peer.ReceivedTotal.Bytes;
        for (int n = 0; n < count && world.Core.Closed is null; n++)
        {
            send(attack, n);
            if (n % 10 == 9)
            {
                world.Run(Millisecond);
            }
        }

        world.Run(TimeSpan.FromSeconds(3));
        CloseReason? closed = world.Core.Closed;
        Assert.True(
            closed is null || (closed.Kind == CloseKind.LocalTransport && mayCloseWith.Contains((TransportErrorCode)closed.Code)),
            $"closed with {closed}\n{world.Network.Trace}");

        // The longest ACK for each packet, as much again as came for challenges: the bound is against answers that multiply.
        const int LongestAck = 200;
        answered = world.Peer.ReceivedTotal.Bytes - answered;
        Assert.InRange(answered, 0, (2 * sentBytes) + (LongestAck * sent) + 100_000);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MemoryBound);

        // It rests afterwards.
        world.Run(TimeSpan.FromSeconds(10));
        int datagrams = world.Peer.ReceivedTotal.Datagrams;
        world.Run(TimeSpan.FromSeconds(5));
        Assert.InRange(world.Peer.ReceivedTotal.Datagrams - datagrams, 0, 20);
    }
}
