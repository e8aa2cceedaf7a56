using Gimlet.Sockets;

namespace Gimlet.Simulation;

internal enum NatVerdict
{
    Translated,
    NoMapping,
    Filtered,
    NoPort,
}

/// <summary>The translation table of one NAT: RFC 4787's behaviours and nothing of the network around it.</summary>
internal sealed class Nat
{
    private readonly SimRandom _random;
    private readonly PortAllocator _ports;
    private readonly Dictionary<MappingKey, Mapping> _byInside = [];
    private readonly Dictionary<TransportAddress, Mapping> _byExternal = [];
    private readonly Dictionary<TransportAddress, TransportAddress> _paired = [];
    private readonly HashSet<TransportAddress> _burnt = [];
    private TransportAddress[] _publicAddresses;

    public Nat(NatBehaviour behaviour, SimRandom random, params TransportAddress[] publicAddresses)
    {
        Behaviour = behaviour;
        _random = random;
        _publicAddresses = publicAddresses;
        _ports = new PortAllocator(behaviour, random);
    }

    public NatBehaviour Behaviour { get; }

    public IReadOnlyList<TransportAddress> PublicAddresses => _publicAddresses;

    public bool IsPublic(TransportAddress address)
    {
        foreach (TransportAddress mine in _publicAddresses)
        {
            if (mine.SameAddress(address))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A packet leaves: finds or makes its mapping, refreshes it and admits the answer.</summary>
    public NatVerdict Outbound(TimeSpan now, TransportAddress inside, TransportAddress remote, out TransportAddress external)
    {
        MappingKey key = new(inside, Permissions.Key(Behaviour.Mapping, remote));
        if (!_byInside.TryGetValue(key, out Mapping? mapping) || IsExpired(mapping, now))
        {
            if (mapping is not null)
            {
                Remove(mapping);
            }

            mapping = Make(key, now);
            if (mapping is null)
            {
                external = default;
                return NatVerdict.NoPort;
            }
        }

        // RFC 4787 REQ-6: "The NAT mapping Refresh Direction MUST have a 'NAT Outbound refresh behavior' of 'True'."
        mapping.LastRefresh = now;
        mapping.Permissions.Note(remote, now);
        external = mapping.External;
        return NatVerdict.Translated;
    }

    /// <summary>A packet arrives at a public address: finds its mapping and asks the filter.</summary>
    public NatVerdict Inbound(TimeSpan now, TransportAddress remote, TransportAddress external, out TransportAddress inside)
    {
        inside = default;
        if (Find(now, remote, external) is not { } mapping)
        {
            return NatVerdict.NoMapping;
        }

        TimeSpan notBefore = Behaviour.SessionTimers ? now - Behaviour.Timeout : TimeSpan.MinValue;
        if (!mapping.Permissions.Admits(remote, notBefore))
        {
            return NatVerdict.Filtered;
        }

        // RFC 4787 REQ-6 a): "The NAT mapping MAY be refreshed by inbound packets".
        if (Behaviour.InboundRefresh)
        {
            mapping.LastRefresh = now;
            mapping.Permissions.Refresh(remote, now);
        }

        inside = mapping.Key.Inside;
        return NatVerdict.Translated;
    }

    /// <summary>Where the mapping of this public address leads, whoever asks; refreshes nothing (REQ-12: ICMP must not change a mapping).</summary>
    public bool TryFindInside(TimeSpan now, TransportAddress remote, TransportAddress external, out TransportAddress inside)
    {
        Mapping? mapping = Find(now, remote, external);
        inside = mapping?.Key.Inside ?? default;
        return mapping is not null;
    }

    /// <summary>The public address that this inside endpoint has towards this remote one, if any; refreshes nothing.</summary>
    public bool TryFindExternal(TimeSpan now, TransportAddress inside, TransportAddress remote, out TransportAddress external)
    {
        bool found = _byInside.TryGetValue(new MappingKey(inside, Permissions.Key(Behaviour.Mapping, remote)), out Mapping? mapping)
            && !IsExpired(mapping, now);
        external = found ? mapping!.External : default;
        return found;
    }

    /// <summary>The public address for something of this inside address; pairs it where the NAT pairs (REQ-2).</summary>
    public TransportAddress PublicAddressFor(TransportAddress inside)
    {
        if (_publicAddresses.Length == 1)
        {
            return _publicAddresses[0];
        }

        if (Behaviour.Pooling == AddressPooling.Arbitrary)
        {
            return _publicAddresses[_random.Next(_publicAddresses.Length)];
        }

        TransportAddress key = inside.WithPort(0);
        if (!_paired.TryGetValue(key, out TransportAddress address))
        {
            address = _publicAddresses[_random.Next(_publicAddresses.Length)];
            _paired.Add(key, address);
        }

        return address;
    }

    /// <summary>Forgets everything and starts at another port.</summary>
    public void Reset()
    {
        _byInside.Clear();
        _byExternal.Clear();
        _paired.Clear();
        _burnt.Clear();
        _ports.Restart();
    }

    /// <summary>Forgets the mappings of one inside address, and gives none of their ports again before the next <see cref="Reset"/>.</summary>
    public void Rebind(TransportAddress inside)
    {
        List<Mapping> gone = [];
        foreach (Mapping mapping in _byInside.Values)
        {
            if (mapping.Key.Inside.SameAddress(inside))
            {
                gone.Add(mapping);
            }
        }

        foreach (Mapping mapping in gone)
        {
            Remove(mapping);
            _ = _burnt.Add(mapping.External);
        }
    }

    public void SetPublicAddresses(params TransportAddress[] addresses)
    {
        _publicAddresses = addresses;
        Reset();
    }

    private bool IsExpired(Mapping mapping, TimeSpan now) => now - mapping.LastRefresh >= Behaviour.Timeout;

    private bool IsFree(TransportAddress external, MappingKey key, TimeSpan now)
    {
        if (_burnt.Contains(external))
        {
            return false;
        }

        Mapping? next = _byExternal.GetValueOrDefault(external);
        while (next is not null)
        {
            Mapping mapping = next;
            next = mapping.Sharing;
            if (IsExpired(mapping, now))
            {
                Remove(mapping);
            }
            else if (!Behaviour.PortOverloading || mapping.Key.Remote == key.Remote)
            {
                return false;
            }
        }

        return true;
    }

    private Mapping? Find(TimeSpan now, TransportAddress remote, TransportAddress external)
    {
        Mapping? live = null;
        TransportAddress remoteKey = Permissions.Key(Behaviour.Mapping, remote);
        for (Mapping? mapping = _byExternal.GetValueOrDefault(external); mapping is not null; mapping = mapping.Sharing)
        {
            if (!IsExpired(mapping, now))
            {
                // Of several on one port, the one that was made for this remote endpoint; else the newest.
                if (mapping.Key.Remote == remoteKey)
                {
                    return mapping;
                }

                live ??= mapping;
            }
        }

        return live;
    }

    /// <summary>A method of its own: its closure is paid for once per mapping, not once per packet.</summary>
    private Mapping? Make(MappingKey key, TimeSpan now)
    {
        TransportAddress address = PublicAddressFor(key.Inside);
        if (!_ports.TryAllocate(key.Inside.Port, port => IsFree(address.WithPort(port), key, now), out int port))
        {
            return null;
        }

        TransportAddress external = address.WithPort(port);
        Mapping mapping = new(key, external, Behaviour.Filtering) { Sharing = _byExternal.GetValueOrDefault(external) };
        _byInside[key] = mapping;
        _byExternal[external] = mapping;
        return mapping;
    }

    private void Remove(Mapping mapping)
    {
        _ = _byInside.Remove(mapping.Key);
        Mapping head = _byExternal[mapping.External];
        if (head != mapping)
        {
            while (head.Sharing != mapping)
            {
                head = head.Sharing!;
            }

            head.Sharing = mapping.Sharing;
        }
        else if (mapping.Sharing is { } next)
        {
            _byExternal[mapping.External] = next;
        }
        else
        {
            _ = _byExternal.Remove(mapping.External);
        }
    }
}
