namespace Gimlet;

/// <summary>How a connection without a server is made.</summary>
public sealed record ServerlessOptions
{
    /// <summary>The pause between hellos; null for <see cref="TraversalOptions.ServerlessInterval"/>.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>How long to wait for the other person; null for <see cref="TraversalOptions.ServerlessTimeout"/>.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>This side chooses between paths. With none or both sides saying so, the smaller id does.</summary>
    public bool IsInitiator { get; init; }

    internal void Validate()
    {
        foreach ((TimeSpan? value, string name) in new[] { (Interval, nameof(Interval)), (Timeout, nameof(Timeout)) })
        {
            if (value <= TimeSpan.Zero)
            {
                throw new GimletException(GimletErrorKind.BadUsage, $"ServerlessOptions.{name} is {value}; it must be longer than zero.");
            }
        }
    }
}
