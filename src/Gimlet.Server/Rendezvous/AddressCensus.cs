using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Gimlet.Sockets;

namespace Gimlet.Server.Rendezvous;

/// <summary>The unit that limits count by: an IPv4 address, or an IPv6 /64, which is what one customer gets at least (RFC 6177).</summary>
internal readonly record struct AddressGroup
{
    private readonly ulong _bits;
    private readonly int _family;

    public AddressGroup(TransportAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        _family = address.WriteAddress(bytes);
        _bits = address.IsIPv4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }
}

/// <summary>
/// How many sessions each address group and the whole server hold, registered and not. One lock: it is taken when a session
/// comes, registers or goes, never for an introduction.
/// </summary>
internal sealed class AddressCensus(RendezvousLimits limits)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<AddressGroup, Counts> _groups = [];
    private int _unregistered;
    private int _registered;

    /// <summary>Registered nodes in all.</summary>
    public int Registered => Volatile.Read(ref _registered);

    /// <summary>Takes a place for a session that has not registered yet; null when there is one, else the error code.</summary>
    public string? TryEnter(AddressGroup group)
    {
        lock (_gate)
        {
            if (_unregistered >= limits.TotalUnregistered)
            {
                return Signalling.ErrorCode.TooManyNodes;
            }

            ref Counts counts = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, group, out _);
            if (counts.Unregistered >= limits.UnregisteredPerAddress)
            {
                return Signalling.ErrorCode.TooManyFromAddress;
            }

            counts.Unregistered++;
            _unregistered++;
            return null;
        }
    }

    /// <summary>Moves a session from unregistered to registered; null when there is a place, else the error code.</summary>
    /// <param name="group">The session's group.</param>
    /// <param name="replaced">The group of the session it replaces, whose place becomes free in the next moment.</param>
    public string? TryRegister(AddressGroup group, AddressGroup? replaced)
    {
        lock (_gate)
        {
            if (_registered - (replaced is null ? 0 : 1) >= limits.TotalNodes)
            {
                return Signalling.ErrorCode.TooManyNodes;
            }

            ref Counts counts = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, group, out _);
            if (counts.Registered - (replaced == group ? 1 : 0) >= limits.NodesPerAddress)
            {
                return Signalling.ErrorCode.TooManyFromAddress;
            }

            counts.Unregistered--;
            counts.Registered++;
            _unregistered--;
            _registered++;
            return null;
        }
    }

    public void Leave(AddressGroup group, bool registered)
    {
        lock (_gate)
        {
            ref Counts counts = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, group, out _);
            if (registered)
            {
                counts.Registered--;
                _registered--;
            }
            else
            {
                counts.Unregistered--;
                _unregistered--;
            }

            if (counts is { Registered: 0, Unregistered: 0 })
            {
                _ = _groups.Remove(group);
            }
        }
    }

    private struct Counts
    {
        public int Unregistered;
        public int Registered;
    }
}
