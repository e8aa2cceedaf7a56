using System.Net;
using Gimlet.Candidates;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;

namespace Gimlet.Tests.Support;

/// <summary>A gatherer, the STUN servers it asks, and a clock: <c>world.Answer(server, mapped)</c>, <c>world.Run(25)</c>.</summary>
internal sealed class Gathering
{
    public static readonly TransportAddress Server1 = TransportAddress.Parse("198.51.100.10:3478");
    public static readonly TransportAddress Server2 = TransportAddress.Parse("198.51.100.20:3478");
    public static readonly TransportAddress ServerV6 = TransportAddress.Parse("[2001:db8::10]:3478");
    public static readonly TransportAddress Mapped = TransportAddress.Parse("203.0.113.1:5000");

    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(40);

    private readonly Dictionary<TransportAddress, Func<byte[], byte[]?>> _servers = [];
    private readonly PriorityQueue<(TransportAddress From, byte[] Bytes), TimeSpan> _answers = new();
    private byte _proofs;

    public Gathering(TraversalOptions? options = null, bool allowLoopback = false)
    {
        Gatherer = new CandidateGatherer(options ?? new TraversalOptions(), allowLoopback, SeededRandom.From(1)) { LocalPorts = (4000, 4000) };
        Gatherer.SetHosts([IPAddress.Parse("192.168.1.2")], Now);
    }

    public CandidateGatherer Gatherer { get; }

    public TimeSpan Now { get; private set; }

    /// <summary>Every request, and when it was sent.</summary>
    public List<(TimeSpan At, TransportAddress To)> Sent { get; } = [];

    public string[] Candidates => [.. Gatherer.Candidates.Select(c => $"{Candidate.KindText(c.Kind)} {c.Address}")];

    public Gathering Answer(TransportAddress server, TransportAddress mapped)
    {
        _servers[server] = request => Response(request, mapped, ++_proofs);
        return this;
    }

    public Gathering Garbage(TransportAddress server)
    {
        _servers[server] = static _ => "HTTP/1.1 400 Bad Request"u8.ToArray();
        return this;
    }

    public Gathering Silent(TransportAddress server)
    {
        _ = _servers.Remove(server);
        return this;
    }

    public Gathering Ask(params TransportAddress[] servers)
    {
        Gatherer.AddTargets(servers.Select(s => new StunTarget(s)), Now);
        Collect();
        return this;
    }

    public Gathering AskUnresolved(string name)
    {
        Gatherer.AddTargets([StunTarget.Unresolved(StunServerAddress.Parse(name), "no such name")], Now);
        Collect();
        return this;
    }

    public Gathering Run(double seconds)
    {
        TimeSpan end = Now + TimeSpan.FromSeconds(seconds);
        Collect();
        for (int guard = 0; ; guard++)
        {
            Assert.True(guard < 100_000, "the gatherer spins");
            TimeSpan next = Gatherer.NextTimeout;
            if (_answers.TryPeek(out _, out TimeSpan head))
            {
                next = head < next ? head : next;
            }

            if (next > end)
            {
                Now = end;
                return this;
            }

            Now = next > Now ? next : Now;
            while (_answers.TryPeek(out (TransportAddress From, byte[] Bytes) answer, out head) && head <= Now)
            {
                _ = _answers.Dequeue();
                _ = Gatherer.HandleDatagram(Now, answer.From, default, answer.Bytes);
            }

            if (Gatherer.NextTimeout <= Now)
            {
                Gatherer.HandleTimeout(Now);
            }

            Collect();
        }
    }

    private void Collect()
    {
        byte[] buffer = new byte[512];
        while (Gatherer.PollTransmit(out TransportAddress destination, buffer, out int length))
        {
            Sent.Add((Now, destination));
            if (_servers.TryGetValue(destination, out Func<byte[], byte[]?>? server) && server(buffer[..length]) is { } answer)
            {
                _answers.Enqueue((destination, answer), Now + RoundTrip);
            }
        }
    }

    private static byte[] Response(byte[] request, TransportAddress mapped, byte proof)
    {
        Assert.True(StunMessage.TryParse(request, out StunMessage message));
        byte[] buffer = new byte[256];
        var builder = StunMessageBuilder.ResponseTo(buffer, StunClass.Success, message);
        builder.AddXorMappedAddress(mapped);
        byte[] value = new byte[20];
        value[0] = proof;
        builder.AddGimletProof(value);
        return buffer[..builder.Length];
    }
}
