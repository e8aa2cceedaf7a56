namespace Gimlet;

/// <summary>Which paths a connection may use, and which it waits for.</summary>
public sealed record PathPolicy
{
    /// <summary>Half a second: what a person does not notice, and ten times what a punch takes over 40 ms.</summary>
    public static readonly TimeSpan DefaultHeadStart = TimeSpan.FromMilliseconds(500);

    private PathPolicy(PathPolicyKind kind, TimeSpan headStart)
    {
        Kind = kind;
        HeadStart = headStart;
    }

    /// <summary>The relay at once, the direct path as soon as there is one. The default.</summary>
    public static PathPolicy RelayThenDirect { get; } = new(PathPolicyKind.RelayThenDirect, default);

    /// <summary>A direct path or none: fails with <see cref="GimletErrorKind.PunchFailed"/> where there is none.</summary>
    public static PathPolicy DirectOnly { get; } = new(PathPolicyKind.DirectOnly, default);

    /// <summary>
    /// The relay only: the call names no address, and neither side looks for a direct path for this connection. A node that is to be found by nobody's address
    /// takes <see cref="GimletNodeOptions.NoHolepunch"/>, and registers none.
    /// </summary>
    public static PathPolicy RelayOnly { get; } = new(PathPolicyKind.RelayOnly, default);

    /// <summary>What it is.</summary>
    public PathPolicyKind Kind { get; }

    /// <summary>How long a direct path is waited for before the relay is used; only of <see cref="PathPolicyKind.DirectHeadStart"/>.</summary>
    public TimeSpan HeadStart { get; }

    /// <summary>Waits for a direct path a little before it uses the relay.</summary>
    /// <param name="wait">How long; null for <see cref="DefaultHeadStart"/>.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.BadUsage"/>: the wait is negative or longer than a minute.</exception>
    public static PathPolicy DirectHeadStart(TimeSpan? wait = null)
    {
        TimeSpan value = wait ?? DefaultHeadStart;
        return value < TimeSpan.Zero || value > TimeSpan.FromMinutes(1)
            ? throw new GimletException(GimletErrorKind.BadUsage, $"A head start of {value} makes no sense.", "Choose one between 0 and 60 s; 500 ms is the default.")
            : new(PathPolicyKind.DirectHeadStart, value);
    }

    internal bool AllowsRelay => Kind != PathPolicyKind.DirectOnly;

    internal bool AllowsDirect => Kind != PathPolicyKind.RelayOnly;
}

/// <summary>The kinds of <see cref="PathPolicy"/>.</summary>
public enum PathPolicyKind
{
    /// <summary>The relay at once, then direct. <c>relay-then-direct</c></summary>
    RelayThenDirect,

    /// <summary>A direct path has some time for itself, then the relay. <c>direct-head-start</c></summary>
    DirectHeadStart,

    /// <summary>Direct or not at all. <c>direct-only</c></summary>
    DirectOnly,

    /// <summary>Never direct. <c>relay-only</c></summary>
    RelayOnly,
}
