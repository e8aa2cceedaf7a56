namespace Gimlet;

/// <summary>What a ticket with a secret allows.</summary>
public sealed record TicketOptions
{
    /// <summary>
    /// Only one peer may use the ticket: the first that does. That peer may call again with it (after a lost answer, for another connection), also when
    /// <see cref="Lifetime"/> is over; everybody else is refused.
    /// </summary>
    public bool OneTime { get; init; }

    /// <summary>How long the ticket may be used, counted from when it is made and rounded up to a whole second; null for as long as the node lives.</summary>
    public TimeSpan? Lifetime { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>; the message names the value.</exception>
    public void Validate()
    {
        if (Lifetime is { } lifetime && lifetime <= TimeSpan.Zero)
        {
            throw new GimletException(GimletErrorKind.BadUsage, $"TicketOptions.Lifetime is {lifetime}; it must be longer than zero.", "Leave it out for a ticket that does not expire.");
        }
    }
}
