using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Stun.Tests.Server.Hosting;

/// <summary>
/// RFC 3489 clients, as the widespread pystun3 sends its requests: no cookie, a transaction id of 16 random bytes, and
/// CHANGE-REQUEST with both bits for its second test, the port bit for its third.
/// </summary>
public sealed class LegacyClientTests
{
    private const string PlainRequest = "0001 0000 e3c9a1f05b2d4477 8a1c90d23e5f6b71";
    private const string ChangeBoth = "0001 0008 e3c9a1f05b2d4477 8a1c90d23e5f6b72 0003 0004 00000006";
    private const string ChangePort = "0001 0008 e3c9a1f05b2d4477 8a1c90d23e5f6b73 0003 0004 00000002";

    [Fact]
    public async Task The_first_test_gets_mapped_source_and_changed_address()
    {
        await using StunServer server = StunServer.Start(StunServerDiscoveryTests.TwoAddresses());
        using var client = new StunTestClient();
        (byte[] bytes, TransportAddress from) = await client.AskAsync(Bytes(PlainRequest), server.EndPoints[0]);
        Assert.Equal(server.EndPoints[0], from);
        Assert.Equal([1, 1], bytes[..2]); // BindResponseMsg

        StunMessage answer = StunTestClient.Parse(bytes);
        Assert.True(answer.TryGetMappedAddress(out TransportAddress mapped));
        Assert.Equal(client.LocalAddress, mapped);
        Assert.True(answer.TryGetSourceAddress(out TransportAddress source));
        Assert.Equal(server.EndPoints[0], source);
        Assert.True(answer.TryGetChangedAddress(out TransportAddress changed));
        Assert.Equal(server.AlternateEndPoints[1], changed);
        Assert.False(answer.TryGetXorMappedAddress(out _)); // an unknown attribute makes an old client discard the answer

        // "Test I" is repeated at the changed address.
        (_, from) = await client.AskAsync(Bytes(PlainRequest), changed);
        Assert.Equal(changed, from);
    }

    [Fact]
    public async Task The_second_and_third_test_are_answered_from_elsewhere()
    {
        await using StunServer server = StunServer.Start(StunServerDiscoveryTests.TwoAddresses());
        using var client = new StunTestClient();
        (_, TransportAddress from) = await client.AskAsync(Bytes(ChangeBoth), server.EndPoints[0]);
        Assert.Equal(server.AlternateEndPoints[1], from);
        (_, from) = await client.AskAsync(Bytes(ChangePort), server.EndPoints[1]);
        Assert.Equal(server.AlternateEndPoints[1], from);
    }

    [Fact]
    public async Task A_plain_server_gives_no_changed_address_and_is_silent_on_a_change_it_cannot_make()
    {
        await using StunServer server = StunServer.Start(new StunServerOptions { Listen = StunServerOptions.EveryAddress(0) });
        using var client = new StunTestClient();
        var asked = new TransportAddress(client.LocalAddress.ToIPAddress(), server.EndPoints[0].Port);
        client.Send(Bytes(ChangeBoth), asked);

        // One thread answers in order, so an answer to the silent one would be before this.
        (byte[] bytes, _) = await client.AskAsync(Bytes(PlainRequest), asked);
        Assert.True(StunTestClient.Parse(bytes).TryGetMappedAddress(out TransportAddress mapped));
        Assert.Equal(client.LocalAddress, mapped);
        Assert.False(StunTestClient.Parse(bytes).TryGetChangedAddress(out _));
        Assert.Equal(1, server.Counters.LegacyUnsupported);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", string.Empty, StringComparison.Ordinal));
}
