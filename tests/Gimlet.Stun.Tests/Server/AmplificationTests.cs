using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Server;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Server;

/// <summary>No request, of any kind, of either family, to any kind of server, draws more than 2.1 times its length as IP packets.</summary>
public sealed class AmplificationTests
{
    public static TheoryData<int, bool, bool> Kinds => new(
        from server in Enumerable.Range(0, 3)
        from ipv6 in new[] { false, true }
        from legacy in new[] { false, true }
        select (server, ipv6, legacy));

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_answer_is_never_longer_than_2_1_times_its_request(int server, bool ipv6, bool legacy)
    {
        StunServerEndpoints endpoints = new[] { Servers.Plain, Servers.TwoPorts, Servers.Full }[server];
        var responder = new StunResponder(endpoints, new byte[32], new FixedTime());
        TransportAddress from = TransportAddress.Parse(ipv6 ? "[2001:db8::7]:50211" : "203.0.113.7:50211");
        TransportAddress local = TransportAddress.Parse(ipv6 ? "[2001:db8:1::1]:3478" : "198.51.100.1:3478");
        byte[] response = new byte[StunResponder.MaxAnswerLength];
        for (int wishes = 0; wishes < 64; wishes++)
        {
            int combination = wishes;
            byte[] request = Servers.Request(new StunTransactionId(new byte[12]), (ref b) => Wish(ref b, combination));
            request[4] = legacy ? (byte)0 : request[4];

            StunAnswer answer = responder.Answer(request, from, local, response);

            StunResponderTests.AssertBudget(from, request.Length, answer.Length);
            Assert.True(answer.Length > 0 || (legacy && answer.Verdict == StunVerdict.LegacyUnsupported), $"{wishes}: {answer.Verdict}");
        }
    }

    private static void Wish(ref StunMessageBuilder builder, int wishes)
    {
        if ((wishes & 1) != 0)
        {
            builder.AddGimletObserve();
        }

        if ((wishes & 2) != 0)
        {
            builder.AddChangeRequest(ChangeRequest.ChangePort);
        }

        if ((wishes & 4) != 0)
        {
            builder.AddPadding(4);
        }

        if ((wishes & 8) != 0)
        {
            builder.AddResponsePort(9);
        }

        if ((wishes & 16) != 0)
        {
            builder.Add((StunAttributeType)0x7001, []);
        }

        if ((wishes & 32) != 0)
        {
            builder.AddFingerprint();
        }
    }
}
