using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Gimlet.Sockets;

namespace Gimlet.Quic.Udp;

/// <summary>
/// Numbers for pairs of addresses. A pair that a connection holds stays; one that was only seen, because a datagram with a known connection id
/// came from there, is kept until <see cref="MaxSeen"/> others came: whoever recorded a packet can send it again from any address, and must not
/// make this grow. Strangers are not in here at all. Looking up takes no lock.
/// </summary>
internal sealed class UdpPaths
{
    /// <summary>A NAT that gives another address needs its entry for the round trip of a path validation.</summary>
    public const int MaxSeen = 1024;

    private readonly ConcurrentDictionary<AddressPair, Entry> _byAddress = new();
    private readonly ConcurrentDictionary<int, Entry> _byNumber = new();
    private readonly Queue<Entry> _seen = new();
    private readonly Lock _gate = new();
    private int _last;

    /// <summary>How many pairs have a number.</summary>
    public int Count => _byNumber.Count;

    /// <summary>The addresses of a path.</summary>
    public bool TryFind(QuicPath path, out TransportAddress local, out TransportAddress remote)
    {
        if (_byNumber.TryGetValue(path.Value, out Entry? entry))
        {
            AddressEnds ends = entry.Ends;
            local = ends.Pair.Local;
            remote = ends.Pair.Remote;
            return true;
        }

        local = default;
        remote = default;
        return false;
    }

    /// <summary>
    /// The number of a pair, made where there is none. A pair whose local address is not known is one that was dialled; it becomes the pair of the
    /// first answer.
    /// </summary>
    public QuicPath GetOrAdd(in TransportAddress local, in TransportAddress remote)
    {
        var pair = new AddressPair(local, remote);
        if (_byAddress.TryGetValue(pair, out Entry? entry))
        {
            return entry.Path;
        }

        lock (_gate)
        {
            if (!_byAddress.TryGetValue(pair, out entry) && !TryAdopt(pair, out entry))
            {
                entry = new Entry(new QuicPath(++_last), pair);
                _byNumber[entry.Path.Value] = entry;
                _byAddress[pair] = entry;
                Remember(entry);
            }

            return entry.Path;
        }
    }

    /// <summary>A connection uses the path.</summary>
    public void Hold(QuicPath path)
    {
        lock (_gate)
        {
            if (_byNumber.TryGetValue(path.Value, out Entry? entry))
            {
                entry.Holders++;
            }
        }
    }

    /// <summary>A connection does not use it any longer.</summary>
    public void Release(QuicPath path)
    {
        lock (_gate)
        {
            if (_byNumber.TryGetValue(path.Value, out Entry? entry) && --entry.Holders == 0)
            {
                Remember(entry);
            }
        }
    }

    // The pair that was dialled keeps its name without a local address: the next dial to there is on the same path.
    private bool TryAdopt(in AddressPair pair, [NotNullWhen(true)] out Entry? entry)
    {
        if (!_byAddress.TryGetValue(pair.WithoutLocal, out entry) || !entry.Ends.Pair.Local.IsEmpty)
        {
            return false;
        }

        entry.Ends = new AddressEnds(pair);
        _byAddress[pair] = entry;
        return true;
    }

    // An entry may be in the queue more than once: held and released in between. Only when it comes out the last time and nobody holds it, it goes.
    private void Remember(Entry entry)
    {
        entry.TimesSeen++;
        _seen.Enqueue(entry);
        while (_seen.Count > MaxSeen)
        {
            Entry oldest = _seen.Dequeue();
            if (--oldest.TimesSeen == 0 && oldest.Holders == 0)
            {
                _ = _byNumber.TryRemove(oldest.Path.Value, out _);
                AddressPair pair = oldest.Ends.Pair;
                _ = _byAddress.TryRemove(new KeyValuePair<AddressPair, Entry>(pair, oldest));
                _ = _byAddress.TryRemove(new KeyValuePair<AddressPair, Entry>(pair.WithoutLocal, oldest));
            }
        }
    }

    /// <summary>Both ends; the local one is empty where the system chooses it.</summary>
    private readonly record struct AddressPair(TransportAddress Local, TransportAddress Remote)
    {
        public AddressPair WithoutLocal => new(default, Remote);
    }

    /// <summary>A pair behind a reference, so that it can be exchanged while others read it.</summary>
    private sealed class AddressEnds(AddressPair pair)
    {
        public AddressPair Pair { get; } = pair;
    }

    private sealed class Entry(QuicPath path, AddressPair pair)
    {
        private AddressEnds _ends = new(pair);

        public QuicPath Path { get; } = path;

        public AddressEnds Ends
        {
            get => Volatile.Read(ref _ends);
            set => Volatile.Write(ref _ends, value);
        }

        public int Holders { get; set; }

        public int TimesSeen { get; set; }
    }
}
