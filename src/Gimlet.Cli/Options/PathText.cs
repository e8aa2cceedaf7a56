using System.Globalization;

namespace Gimlet.Cli.Options;

/// <summary>Reads <c>--path</c>.</summary>
internal static class PathText
{
    private const string HeadStart = "direct-head-start:";

    /// <summary>Reads a path policy.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not one.</exception>
    public static PathPolicy Read(string text) => text switch
    {
        "relay-then-direct" => PathPolicy.RelayThenDirect,
        "direct-only" => PathPolicy.DirectOnly,
        "relay-only" => PathPolicy.RelayOnly,
        _ when TryReadHeadStart(text, out int milliseconds) => PathPolicy.DirectHeadStart(TimeSpan.FromMilliseconds(milliseconds)),
        _ when text.StartsWith(HeadStart.TrimEnd(':'), StringComparison.Ordinal) =>
            throw new FormatException("the head start is a number of milliseconds, as in direct-head-start:500"),
        _ => throw new FormatException("it must be relay-then-direct, direct-head-start:MS, direct-only or relay-only"),
    };

    private static bool TryReadHeadStart(string text, out int milliseconds)
    {
        bool read = text.StartsWith(HeadStart, StringComparison.Ordinal)
            & ushort.TryParse(text.AsSpan(Math.Min(HeadStart.Length, text.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out ushort value);
        milliseconds = value;
        return read && value <= 60_000;
    }
}
