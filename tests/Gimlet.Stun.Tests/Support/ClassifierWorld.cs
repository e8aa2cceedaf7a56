using Gimlet.Sockets;
using Gimlet.Stun.Discovery;
using Gimlet.Stun.Server;

namespace Gimlet.Stun.Tests.Support;

/// <summary>
/// A classifier with its two sockets, perhaps a NAT or a firewall, and real responders, in virtual time. Everything outside is 20 ms away.
/// </summary>
internal sealed class ClassifierWorld
{
    public static readonly TransportAddress InsideHost = TransportAddress.Parse("192.168.1.10:41002");
    public static readonly TransportAddress PublicHost = TransportAddress.Parse("203.0.113.9:41002");

    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(20);

    private readonly List<(TransportAddress Address, StunResponder Responder)> _servers = [];
    private readonly PriorityQueue<Action, TimeSpan> _events = new();
    private readonly HashSet<TransportAddress> _sentTo = [];

    public FakeNat? Nat { get; init; }

    /// <summary>Without a NAT: what the host's firewall lets in.</summary>
    public FilteringBehavior Firewall { get; init; } = FilteringBehavior.EndpointIndependent;

    /// <summary>Says which datagrams are lost: from, to.</summary>
    public Func<TransportAddress, TransportAddress, bool> Lose { get; init; } = (_, _) => false;

    /// <summary>Changes a server's answer on its way.</summary>
    public Func<byte[], byte[]> Tamper { get; init; } = bytes => bytes;

    /// <summary>Delivers each answer a second time, later.</summary>
    public bool Duplicate { get; init; }

    public TimeSpan Now { get; private set; }

    public List<(ProbeSocket Socket, TransportAddress Destination)> Sent { get; } = [];

    /// <summary>Without a NAT: this machine's address.</summary>
    public TransportAddress OwnAddress { get; init; } = PublicHost;

    private TransportAddress Host => Nat is null ? OwnAddress : InsideHost;

    public ClassifierWorld WithServer(StunServerEndpoints endpoints, params TransportAddress[] addresses)
    {
        var responder = new StunResponder(endpoints, [], new FixedTime());
        _servers.AddRange(addresses.Select(address => (address, responder)));
        return this;
    }

    /// <summary>A server with two addresses and two ports.</summary>
    public ClassifierWorld WithFullServer() => WithServer(
        Servers.Full, Servers.A1P1, Servers.A1P1.WithPort(3479), Servers.A2P2.WithPort(3478), Servers.A2P2);

    public NatBehavior Classify(params TransportAddress[] servers) => Classify(new NatClassifierOptions(), servers);

    public NatBehavior Classify(NatClassifierOptions options, params TransportAddress[] servers)
    {
        var classifier = new NatClassifier(servers, [Host], options, SeededRandom.From(17));
        classifier.Start(Now, TransportAddress.Parse("0.0.0.0:41002"));
        Drain(classifier);
        while (!classifier.IsComplete)
        {
            TimeSpan timer = classifier.NextTimeout ?? throw new InvalidOperationException("Not complete, and nothing to wait for.");
            if (_events.TryPeek(out _, out TimeSpan at) && at <= timer)
            {
                Now = at;
                _events.Dequeue()();
            }
            else
            {
                Assert.True(timer >= Now, "a timer in the past");
                Now = timer;
                classifier.HandleTimeout(Now);
            }

            Drain(classifier);
        }

        Assert.Null(classifier.NextTimeout);
        return classifier.Behavior;
    }

    private void Drain(NatClassifier classifier)
    {
        byte[] buffer = new byte[128];
        while (classifier.PollTransmit(out ProbeSocket socket, out TransportAddress destination, buffer, out int length))
        {
            Sent.Add((socket, destination));
            TransportAddress inside = Host.WithPort(socket == ProbeSocket.Mapping ? 41002 : 41003);
            TransportAddress outside = Nat?.Out(inside, destination) ?? inside;
            if (socket == ProbeSocket.Filtering)
            {
                _ = _sentTo.Add(destination);
            }

            byte[] bytes = buffer[..length];
            if (!Lose(outside, destination))
            {
                _events.Enqueue(() => Arrive(classifier, outside, destination, bytes), Now + OneWay);
            }
        }
    }

    private void Arrive(NatClassifier classifier, TransportAddress from, TransportAddress to, byte[] bytes)
    {
        if (Nat is not null && to.SameAddress(FakeNat.Outside))
        {
            if (Nat.Hairpin)
            {
                Deliver(classifier, from, to, bytes);
            }

            return;
        }

        foreach ((TransportAddress address, StunResponder responder) in _servers)
        {
            if (address == to)
            {
                byte[] response = new byte[StunResponder.MaxAnswerLength];
                StunAnswer answer = responder.Answer(bytes, from, to, response);
                if (answer.Length > 0 && !Lose(answer.Source, answer.Destination))
                {
                    byte[] back = Tamper(response[..answer.Length]);
                    _events.Enqueue(() => Deliver(classifier, answer.Source, answer.Destination, back), Now + OneWay);
                    if (Duplicate)
                    {
                        _events.Enqueue(() => Deliver(classifier, answer.Source, answer.Destination, back), Now + (3 * OneWay));
                    }
                }
            }
        }
    }

    private void Deliver(NatClassifier classifier, TransportAddress from, TransportAddress to, byte[] bytes)
    {
        TransportAddress? inside = Nat is null ? Filter(from, to) : Nat.In(from, to);
        if (inside is { } local)
        {
            ProbeSocket socket = local.Port == 41002 ? ProbeSocket.Mapping : ProbeSocket.Filtering;
            _ = classifier.HandleDatagram(Now, socket, from, local, bytes);
        }
    }

    private TransportAddress? Filter(TransportAddress from, TransportAddress to)
    {
        bool open = to.Port == 41002 || Firewall switch
        {
            FilteringBehavior.EndpointIndependent => true,
            FilteringBehavior.AddressDependent => _sentTo.Any(sent => sent.SameAddress(from)),
            _ => _sentTo.Contains(from),
        };
        return open ? to : null;
    }
}
