namespace Gimlet.Access;

/// <summary>What a <see cref="TicketBook"/> says of a proof. The default is the one that knows nothing: admission never fails open.</summary>
internal enum TicketVerdict
{
    /// <summary>No ticket of this node gives that proof.</summary>
    Unknown = 0,

    /// <summary>The caller holds a ticket that is good.</summary>
    Accepted,

    /// <summary>The caller holds a ticket whose time is over.</summary>
    Expired,

    /// <summary>The caller holds a one-time ticket that another peer has taken.</summary>
    Used,
}
