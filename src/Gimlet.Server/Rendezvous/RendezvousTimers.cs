namespace Gimlet.Server;

/// <summary>The server's times.</summary>
public sealed record RendezvousTimers
{
    /// <summary>A WebSocket that has not registered by then is closed; 10 s, enough for a bad mobile link, short for an idle attacker.</summary>
    public TimeSpan RegistrationTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A node that was silent this long is pinged; 15 s: NAT and proxy timeouts on TCP start at 30 s in the field, and this leaves
    /// room for one lost ping.
    /// </summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A node that was silent this long is gone; 40 s: two pings, at 15 s and 30 s, stayed without an answer for 10 s.</summary>
    public TimeSpan DropAfter { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>A callee that decides (<c>on-accept</c>) has this long; 10 s: programs decide in milliseconds, and callers do not wait longer.</summary>
    public TimeSpan AcceptTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A call is forgotten after this long; 30 s: punching gives up after 5 s, six times that covers late candidates.</summary>
    public TimeSpan CallLifetime { get; init; } = TimeSpan.FromSeconds(30);

    internal string? FindProblem()
    {
        foreach ((string name, TimeSpan value) in new[]
        {
            (nameof(RegistrationTimeout), RegistrationTimeout),
            (nameof(PingAfter), PingAfter),
            (nameof(DropAfter), DropAfter),
            (nameof(AcceptTimeout), AcceptTimeout),
            (nameof(CallLifetime), CallLifetime),
        })
        {
            if (value <= TimeSpan.Zero || value > TimeSpan.FromHours(1))
            {
                return $"Timers.{name} is {value}; it must be more than zero and at most an hour.";
            }
        }

        return DropAfter <= PingAfter
            ? $"Timers.DropAfter ({DropAfter}) must be longer than Timers.PingAfter ({PingAfter}), or no node could answer in time."
            : null;
    }
}
