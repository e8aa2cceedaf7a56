using System.Net;
using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Stun.Tests.Server.Hosting;

/// <summary>RFC 5780 on real sockets: from which of its four places the server answers.</summary>
public sealed class StunServerDiscoveryTests
{
    public static TheoryData<bool, bool, ChangeRequest> EveryPlaceAndChange()
    {
        var data = new TheoryData<bool, bool, ChangeRequest>();
        foreach (bool alternateAddress in new[] { false, true })
        {
            foreach (bool alternatePort in new[] { false, true })
            {
                foreach (ChangeRequest change in new[]
                {
                    ChangeRequest.None, ChangeRequest.ChangePort, ChangeRequest.ChangeAddress,
                    ChangeRequest.ChangeAddress | ChangeRequest.ChangePort,
                })
                {
                    data.Add(alternateAddress, alternatePort, change);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EveryPlaceAndChange))]
    public async Task Every_change_leaves_from_its_own_address_and_port(bool askAlternateAddress, bool askAlternatePort, ChangeRequest change)
    {
        await using StunServer server = StunServer.Start(TwoAddresses());
        TransportAddress Place(bool alternateAddress, bool alternatePort) =>
            (alternatePort ? server.AlternateEndPoints : server.EndPoints)[alternateAddress ? 1 : 0];
        TransportAddress asked = Place(askAlternateAddress, askAlternatePort);
        TransportAddress expected = Place(
            askAlternateAddress ^ change.HasFlag(ChangeRequest.ChangeAddress), askAlternatePort ^ change.HasFlag(ChangeRequest.ChangePort));

        using var client = new StunTestClient();
        (byte[] bytes, TransportAddress from) = await client.AskAsync(StunTestClient.BindingRequest(change), asked);
        Assert.Equal(expected, from);
        StunMessage answer = StunTestClient.Parse(bytes);
        Assert.True(answer.TryGetXorMappedAddress(out TransportAddress mapped));
        Assert.Equal(client.LocalAddress, mapped);
        Assert.True(answer.TryGetResponseOrigin(out TransportAddress origin));
        Assert.Equal(expected, origin);
        Assert.True(answer.TryGetOtherAddress(out TransportAddress other));
        Assert.Equal(Place(!askAlternateAddress, !askAlternatePort), other);
    }

    [Fact]
    public async Task With_only_a_second_port_the_port_changes_and_the_address_does_not()
    {
        await using StunServer server = StunServer.Start(new StunServerOptions
        {
            Listen = [new IPEndPoint(IPAddress.Any, 0)],
            Alternate = [new IPEndPoint(IPAddress.Any, 0)],
        });
        var asked = new TransportAddress(IPAddress.Parse("127.0.0.3"), server.EndPoints[0].Port);
        using var client = new StunTestClient();
        (_, TransportAddress from) = await client.AskAsync(StunTestClient.BindingRequest(ChangeRequest.ChangePort), asked);
        Assert.Equal(asked.WithPort(server.AlternateEndPoints[0].Port), from);

        (byte[] bytes, from) = await client.AskAsync(StunTestClient.BindingRequest(ChangeRequest.ChangeAddress), asked);
        Assert.Equal(asked, from);
        Assert.True(StunTestClient.Parse(bytes).TryGetErrorCode(out StunErrorCode code, out _));
        Assert.Equal(StunErrorCode.UnknownAttribute, code);
    }

    [Fact]
    public async Task Behind_a_one_to_one_NAT_the_public_addresses_are_told_and_the_local_ones_used()
    {
        await using StunServer server = StunServer.Start(TwoAddresses() with
        {
            PublicAddresses = new Dictionary<IPAddress, IPAddress>
            {
                [IPAddress.Parse("127.0.0.1")] = IPAddress.Parse("198.51.100.1"),
                [IPAddress.Parse("127.0.0.2")] = IPAddress.Parse("198.51.100.2"),
            },
        });
        using var client = new StunTestClient();
        (byte[] bytes, TransportAddress from) = await client.AskAsync(StunTestClient.BindingRequest(ChangeRequest.ChangeAddress), server.EndPoints[0]);
        Assert.Equal(server.EndPoints[1], from);
        Assert.True(StunTestClient.Parse(bytes).TryGetResponseOrigin(out TransportAddress origin));
        Assert.Equal($"198.51.100.2:{server.EndPoints[0].Port}", origin.ToString());
        Assert.True(StunTestClient.Parse(bytes).TryGetOtherAddress(out TransportAddress other));
        Assert.Equal($"198.51.100.2:{server.AlternateEndPoints[0].Port}", other.ToString());
    }

    internal static StunServerOptions TwoAddresses() => new()
    {
        Listen = [new IPEndPoint(IPAddress.Loopback, 0)],
        Alternate = [new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0)],
    };
}
