using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;

namespace Gimlet.Stun.Tests.Support;

/// <summary>A request as it left.</summary>
internal sealed record SentRequest(TimeSpan At, TransportAddress Destination, byte[] Bytes)
{
    public StunMessageBuilder BeginResponse(StunClass @class)
    {
        Assert.True(StunMessage.TryParse(Bytes, out StunMessage request));
        return StunMessageBuilder.ResponseTo(new byte[512], @class, request);
    }
}

/// <summary>The host of a query, with a clock that the test moves.</summary>
internal sealed class QueryDriver
{
    private static readonly TransportAddress Local = TransportAddress.Parse("192.168.1.10:41002");

    public QueryDriver(StunQueryOptions? options = null)
    {
        Query = new StunQuery(options ?? new StunQueryOptions(), SeededRandom.From(42));
    }

    public StunQuery Query { get; }

    public TimeSpan Now { get; set; }

    public List<SentRequest> Sent { get; } = [];

    public static byte[] Response(SentRequest request, TransportAddress mapped)
    {
        var builder = request.BeginResponse(StunClass.Success);
        builder.AddXorMappedAddress(mapped);
        return builder.Written.ToArray();
    }

    public void Start(params TransportAddress[] servers)
    {
        foreach (TransportAddress server in servers)
        {
            Query.Add(Now, new StunTarget(server));
        }

        Query.Start(Now);
        Drain();
    }

    public void Drain()
    {
        byte[] buffer = new byte[128];
        while (Query.PollTransmit(out TransportAddress destination, buffer, out int length))
        {
            Sent.Add(new SentRequest(Now, destination, buffer[..length]));
        }
    }

    public bool Answer(SentRequest request, TransportAddress mapped) => Deliver(request.Destination, Response(request, mapped));

    public bool Deliver(TransportAddress from, byte[] bytes) => Query.HandleDatagram(Now, from, Local, bytes);

    public void RunToEnd() => RunUntil(TimeSpan.MaxValue);

    public void RunUntil(TimeSpan end)
    {
        while (Query.NextTimeout is { } next && next <= end)
        {
            Now = next;
            Query.HandleTimeout(Now);
            Drain();
        }

        Now = end == TimeSpan.MaxValue ? Now : end;
    }
}
