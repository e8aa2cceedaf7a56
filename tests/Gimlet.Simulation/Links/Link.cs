namespace Gimlet.Simulation;

/// <summary>The cable between an interface and its network: two directions, and the verbs of what may happen to it.</summary>
internal sealed class Link
{
    public Link(World world, Nic nic)
    {
        Up = new LinkDirection(world, nic, isUp: true);
        Down = new LinkDirection(world, nic, isUp: false);
    }

    /// <summary>From the interface into the network.</summary>
    public LinkDirection Up { get; }

    /// <summary>From the network to the interface.</summary>
    public LinkDirection Down { get; }

    /// <summary>Raised once per cut: the channels that cross this link break.</summary>
    public event Action? WasCut;

    /// <summary>True between <see cref="Cut"/> and <see cref="Restore"/>: the interface knows that it has no carrier.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Sets both directions.</summary>
    public void SetConditions(LinkConditions conditions)
    {
        Up.Conditions = conditions;
        Down.Conditions = conditions;
    }

    /// <summary>The cable is pulled: nothing passes, sending fails at once, and channels across it break.</summary>
    public void Cut()
    {
        IsCut = true;
        BlackHole();
        WasCut?.Invoke();
    }

    /// <summary>Everything vanishes silently, in both directions; channels stall.</summary>
    public void BlackHole()
    {
        Up.IsBlackHole = true;
        Down.IsBlackHole = true;
    }

    /// <summary>A firewall that lets everything through but UDP.</summary>
    public void BlockUdp()
    {
        Up.BlocksUdp = true;
        Down.BlocksUdp = true;
    }

    /// <summary>As new.</summary>
    public void Restore()
    {
        IsCut = false;
        Up.IsBlackHole = Down.IsBlackHole = false;
        Up.BlocksUdp = Down.BlocksUdp = false;
        Up.Swallows = Down.Swallows = null;
    }
}
