using System.Text.RegularExpressions;

namespace Gimlet.Cli.Output;

/// <summary>The stable words and figures of events.</summary>
internal static partial class Words
{
    /// <summary>A path straight to the peer.</summary>
    public const string Direct = "direct";

    /// <summary>A path through a server.</summary>
    public const string Relay = "relay";

    /// <summary>The word of a path.</summary>
    /// <param name="kind">Its kind.</param>
    public static string Of(PathKind kind) => kind == PathKind.Direct ? Direct : Relay;

    /// <summary>The name of an enumeration's value as events write it: <c>TimedOut</c> is <c>timed-out</c>.</summary>
    /// <typeparam name="T">The enumeration.</typeparam>
    /// <param name="value">The value.</param>
    public static string Of<T>(T value)
        where T : struct, Enum
        => InnerCapital().Replace(value.ToString(), "-$0").ToLowerInvariant();

    /// <summary>A peer's id; null where there is none.</summary>
    /// <param name="peer">The id.</param>
    public static string? Of(PeerId peer) => peer.IsEmpty ? null : peer.ToString();

    /// <summary>Milliseconds with microseconds, which is what the clock and a network are good for.</summary>
    /// <param name="time">The time.</param>
    public static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);

    [GeneratedRegex("(?<!^)[A-Z]", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InnerCapital();
}
