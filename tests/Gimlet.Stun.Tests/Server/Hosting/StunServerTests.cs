using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Server;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Stun.Tests.Server.Hosting;

public sealed class StunServerTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.2")]
    [InlineData("127.255.1.3")]
    [InlineData("::1")]
    public async Task A_server_on_every_address_answers_from_the_one_that_was_asked(string asked)
    {
        await using StunServer server = StunServer.Start(new StunServerOptions { Listen = StunServerOptions.EveryAddress(0) });
        SkipUnlessListening(server, asked);
        var address = new TransportAddress(IPAddress.Parse(asked), server.EndPoints[0].Port);
        using var client = new StunTestClient(asked == "::1" ? asked : "127.0.0.9");
        (byte[] bytes, TransportAddress from) = await client.AskAsync(StunTestClient.BindingRequest(), address);
        Assert.Equal(address, from);
        Assert.True(StunTestClient.Parse(bytes).TryGetXorMappedAddress(out TransportAddress mapped));
        Assert.Equal(client.LocalAddress, mapped);
        Assert.False(StunTestClient.Parse(bytes).TryGetOtherAddress(out _));
    }

    [Fact]
    public async Task Port_zero_takes_one_port_for_both_families()
    {
        await using StunServer server = StunServer.Start(new StunServerOptions
        {
            Listen = StunServerOptions.EveryAddress(0),
            Alternate = StunServerOptions.EveryAddress(0),
        });
        Assert.Single(server.EndPoints.Select(e => e.Port).Distinct());
        Assert.Single(server.AlternateEndPoints.Select(e => e.Port).Distinct());
        Assert.NotEqual(server.EndPoints[0].Port, server.AlternateEndPoints[0].Port);
    }

    [Fact]
    public async Task A_port_in_use_is_an_error_that_names_it_and_nothing_stays_bound()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0));
        IPEndPoint alternate = (IPEndPoint)taken.LocalEndPoint!;
        await using StunServer probe = StunServer.Start(OnLoopback());
        IPEndPoint free = probe.EndPoints[0].ToIPEndPoint();
        await probe.DisposeAsync();

        DatagramBindException e = Assert.Throws<DatagramBindException>(() => StunServer.Start(new StunServerOptions
        {
            Listen = [free],
            Alternate = [alternate],
        }));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        Assert.Contains(alternate.ToString(), e.Message, StringComparison.Ordinal);
        await using StunServer again = StunServer.Start(new StunServerOptions { Listen = [free] });
        Assert.Equal(free, again.EndPoints[0].ToIPEndPoint());
    }

    [Theory]
    [InlineData("", "", "Listen is empty")]
    [InlineData("127.0.0.1:1 127.0.0.2:1", "", "two end points of one family")]
    [InlineData("127.0.0.1:1 [::1]:2", "", "different ports")]
    [InlineData("127.0.0.1:1", "[::1]:2", "no address of that family")]
    [InlineData("127.0.0.1:1", "127.0.0.2:1", "another port")]
    [InlineData("0.0.0.0:1", "127.0.0.2:2", "Listen must name one too")]
    public void Options_that_contradict_themselves_say_so(string listen, string alternate, string expected)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => StunServer.Start(new StunServerOptions
        {
            Listen = Parse(listen),
            Alternate = Parse(alternate),
        }));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => StunServer.Start(OnLoopback() with { ThreadsPerSocket = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => StunServer.Start(OnLoopback() with { ProofKey = new byte[31] }));
    }

    [Fact]
    public async Task Disposing_twice_frees_the_port_and_ends_the_threads()
    {
        StunServer server = StunServer.Start(OnLoopback());
        IPEndPoint endPoint = server.EndPoints[0].ToIPEndPoint();
        await server.DisposeAsync();
        await server.DisposeAsync();
        await using StunServer next = StunServer.Start(new StunServerOptions { Listen = [endPoint] });
        Assert.Equal(endPoint, next.EndPoints[0].ToIPEndPoint());
    }

    [Fact]
    public async Task Noise_is_counted_by_reason_and_answers_go_on()
    {
        await using StunServer server = StunServer.Start(OnLoopback());
        TransportAddress address = server.EndPoints[0];
        using var client = new StunTestClient();
        var random = new Random(1);
        for (int i = 0; i < 100; i++)
        {
            byte[] noise = new byte[random.Next(100)];
            random.NextBytes(noise);
            if (noise.Length > 0)
            {
                noise[0] |= 0x80; // never STUN
            }

            client.Send(noise, address);
        }

        byte[] response = StunTestClient.BindingRequest();
        response[0] = 1;
        response[1] = 1;
        client.Send(response, address);
        client.Send(new byte[5000], address);
        byte[] unknown = [.. StunTestClient.BindingRequest(), 0x7f, 0x00, 0, 0];
        unknown[3] = 4;
        (byte[] refusal, _) = await client.AskAsync(unknown, address);
        Assert.True(StunTestClient.Parse(refusal).TryGetErrorCode(out StunErrorCode code, out _));
        Assert.Equal(StunErrorCode.UnknownAttribute, code);
        (byte[] answer, _) = await client.AskAsync(StunTestClient.BindingRequest(), address);
        Assert.Equal(StunClass.Success, StunTestClient.Parse(answer).Class);

        StunServerCounters counters = server.Counters;
        Assert.Equal(104, counters.Received);
        Assert.Equal(100, counters.NotStun);
        Assert.Equal(1, counters.NotForUs);
        Assert.Equal(1, counters.TooLong);
        Assert.Equal(1, counters.Refused);
        Assert.Equal(1, counters.Answered);
        Assert.Equal(0, counters.NotSent);
        Assert.Equal(0, counters.Faults);
    }

    [Fact]
    public async Task Several_threads_share_a_port_and_every_client_is_answered()
    {
        await using StunServer server = StunServer.Start(OnLoopback() with { ThreadsPerSocket = 3 });
        Assert.Single(server.EndPoints);
        for (int i = 0; i < 32; i++)
        {
            using var client = new StunTestClient();
            (byte[] bytes, _) = await client.AskAsync(StunTestClient.BindingRequest(), server.EndPoints[0]);
            Assert.True(StunTestClient.Parse(bytes).TryGetXorMappedAddress(out TransportAddress mapped));
            Assert.Equal(client.LocalAddress, mapped);
        }

        Assert.Equal(32, server.Counters.Answered);
    }

    [Fact]
    public async Task A_proof_is_given_to_who_asks_and_verifies_with_the_servers_key()
    {
        byte[] key = RandomNumberGenerator.GetBytes(ObservationProof.KeyLength);
        await using StunServer server = StunServer.Start(OnLoopback() with { ProofKey = key });
        using var client = new StunTestClient();
        (byte[] bytes, _) = await client.AskAsync(StunTestClient.BindingRequest(observe: true), server.EndPoints[0]);
        Assert.True(StunTestClient.Parse(bytes).TryGetGimletProof(out ReadOnlySpan<byte> proof));
        Assert.True(ObservationProof.TryVerify(proof, client.LocalAddress, key, TimeProvider.System.GetUtcNow()));
        (bytes, _) = await client.AskAsync(StunTestClient.BindingRequest(), server.EndPoints[0]);
        Assert.False(StunTestClient.Parse(bytes).TryGetGimletProof(out _));
    }

    [Fact]
    public async Task A_defect_met_by_one_datagram_is_kept_for_the_host_and_the_next_is_answered()
    {
        await using StunServer server = StunServer.Start(OnLoopback() with { ProofKey = new byte[32], Time = new BrokenClock() });
        using var client = new StunTestClient();
        client.Send(StunTestClient.BindingRequest(observe: true), server.EndPoints[0]);
        (byte[] bytes, _) = await client.AskAsync(StunTestClient.BindingRequest(), server.EndPoints[0]);
        Assert.Equal(StunClass.Success, StunTestClient.Parse(bytes).Class);
        Assert.Equal(1, server.Counters.Faults);
        Assert.Equal(2, server.Counters.Received);
        Assert.IsType<TimeZoneNotFoundException>(server.LastFault);
    }

    private static StunServerOptions OnLoopback() => new() { Listen = [new IPEndPoint(IPAddress.Loopback, 0)] };

    private static IPEndPoint[] Parse(string list) =>
        [.. list.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPEndPoint.Parse)];

    private static void SkipUnlessListening(StunServer server, string asked)
    {
        if (asked.Contains(':', StringComparison.Ordinal) && !server.EndPoints.Any(e => e.IsIPv6))
        {
            Assert.Skip("This machine has no IPv6.");
        }
    }

    private sealed class BrokenClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => throw new TimeZoneNotFoundException();
    }
}
