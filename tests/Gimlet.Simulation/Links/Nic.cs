using Gimlet.Sockets;

namespace Gimlet.Simulation;

/// <summary>What sits behind an interface: a host or a router.</summary>
internal interface IPacketHandler
{
    /// <summary>A packet came out of the interface's link. The handler owns it from here: it sends it on or drops it.</summary>
    void Receive(Nic nic, Packet packet);
}

/// <summary>An interface of a host or router in one network, at the end of its own link.</summary>
internal sealed class Nic
{
    private readonly List<TransportAddress> _addresses = [];

    public Nic(World world, string name, IPacketHandler owner, Network network)
    {
        Name = name;
        Owner = owner;
        Network = network;
        Link = new Link(world, this);
    }

    public string Name { get; }

    public IPacketHandler Owner { get; }

    public Network Network { get; }

    public Link Link { get; }

    /// <summary>The addresses, port 0.</summary>
    public IReadOnlyList<TransportAddress> Addresses => _addresses;

    /// <summary>The first address of the family; empty when there is none.</summary>
    public TransportAddress Address(bool ipv4)
    {
        foreach (TransportAddress address in _addresses)
        {
            if (address.IsIPv4 == ipv4)
            {
                return address;
            }
        }

        return default;
    }

    public void AddAddress(TransportAddress address)
    {
        Network.Register(address, this);
        _addresses.Add(address);
    }

    public void RemoveAddress(TransportAddress address)
    {
        Network.Unregister(address);
        _ = _addresses.Remove(address);
    }

    public void Transmit(Packet packet) => Link.Up.Carry(packet);
}
