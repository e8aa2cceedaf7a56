using Gimlet.Sockets;
using Gimlet.Stun.Discovery;

namespace Gimlet.Stun.Tests.Support;

/// <summary>How a <see cref="FakeNat"/> chooses outside ports.</summary>
internal enum PortChoice
{
    Preserve,
    Sequential,
    Scattered,
}

/// <summary>A NAT of any RFC 4787 behaviour, in memory.</summary>
internal sealed class FakeNat(
    MappingBehavior mapping, FilteringBehavior filtering, PortChoice ports = PortChoice.Scattered, bool hairpin = false)
{
    public static readonly TransportAddress Outside = TransportAddress.Parse("203.0.113.7:1");

    private readonly List<Entry> _entries = [];
    private int _next = 50_200;

    public bool Hairpin => hairpin;

    /// <summary>A datagram leaves; returns the source address that the outside sees.</summary>
    public TransportAddress Out(TransportAddress inside, TransportAddress destination)
    {
        Entry? entry = _entries.Find(e => e.Inside == inside && mapping switch
        {
            MappingBehavior.EndpointIndependent => true,
            MappingBehavior.AddressDependent => e.First.SameAddress(destination),
            _ => e.First == destination,
        });
        if (entry is null)
        {
            entry = new Entry(inside, Outside.WithPort(Choose(inside.Port)), destination);
            _entries.Add(entry);
        }

        _ = entry.SentTo.Add(destination);
        return entry.Mapped;
    }

    /// <summary>A datagram arrives; returns where it goes inside, or nothing when it is filtered.</summary>
    public TransportAddress? In(TransportAddress from, TransportAddress to)
    {
        Entry? entry = _entries.Find(e => e.Mapped == to);
        bool open = entry is not null && filtering switch
        {
            FilteringBehavior.EndpointIndependent => true,
            FilteringBehavior.AddressDependent => entry.SentTo.Any(sent => sent.SameAddress(from)),
            _ => entry.SentTo.Contains(from),
        };
        return open ? entry!.Inside : null;
    }

    private int Choose(int inside)
    {
        _next += ports == PortChoice.Sequential ? 1 : 613;
        return ports == PortChoice.Preserve && !_entries.Exists(e => e.Mapped.Port == inside) ? inside : _next;
    }

    private sealed record Entry(TransportAddress Inside, TransportAddress Mapped, TransportAddress First)
    {
        public HashSet<TransportAddress> SentTo { get; } = [];
    }
}
