using System.Globalization;

namespace Gimlet.Cli.Options;

/// <summary>Durations as people write them.</summary>
internal static class DurationText
{
    // An hour is more than any of these waits can mean; beyond it a unit was forgotten.
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>Reads <c>10</c> as seconds, or what <see cref="ReadWithUnit(string)"/> reads.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not a duration.</exception>
    public static TimeSpan ReadSeconds(string text) =>
        TryNumber(text, out double seconds)
            ? Checked(TimeSpan.FromSeconds(seconds))
            : ReadWithUnit(text, "a number of seconds such as 10, or with a unit such as 400ms or 2s");

    /// <summary>Reads <c>400ms</c>, <c>2s</c>, <c>1m</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not a duration.</exception>
    public static TimeSpan ReadWithUnit(string text) => ReadWithUnit(text, "a duration with its unit, such as 400ms or 2s");

    private static TimeSpan ReadWithUnit(string text, string right)
    {
        foreach ((string unit, double milliseconds) in new[] { ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0) })
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase) && TryNumber(text[..^unit.Length], out double number))
            {
                return Checked(TimeSpan.FromMilliseconds(number * milliseconds));
            }
        }

        throw new FormatException($"it must be {right}");
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number) && number < Longest.TotalMilliseconds;

    private static TimeSpan Checked(TimeSpan duration) =>
        duration > TimeSpan.Zero && duration <= Longest ? duration : throw new FormatException("it must be longer than zero and at most an hour");
}
