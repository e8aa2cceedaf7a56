using System.Globalization;

namespace Gimlet.Cli.Options;

/// <summary>The values of <c>--path</c>.</summary>
internal enum PathChoice
{
    /// <summary>Bytes flow through the relay until a direct path works. <c>relay-then-direct</c></summary>
    RelayThenDirect,

    /// <summary>The relay joins only after a while. <c>direct-head-start:MS</c></summary>
    DirectHeadStart,

    /// <summary>No relay. <c>direct-only</c></summary>
    DirectOnly,

    /// <summary>No direct path. <c>relay-only</c></summary>
    RelayOnly,
}

/// <summary>Reads <c>--path</c>.</summary>
internal static class PathText
{
    private const string HeadStart = "direct-head-start:";

    /// <summary>Reads a path policy.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is not one.</exception>
    public static PathChoice Read(string text) => text switch
    {
        "relay-then-direct" => PathChoice.RelayThenDirect,
        "direct-only" => PathChoice.DirectOnly,
        "relay-only" => PathChoice.RelayOnly,
        _ when IsHeadStart(text) => PathChoice.DirectHeadStart,
        _ when text.StartsWith(HeadStart.TrimEnd(':'), StringComparison.Ordinal) =>
            throw new FormatException("the head start is a number of milliseconds, as in direct-head-start:500"),
        _ => throw new FormatException("it must be relay-then-direct, direct-head-start:MS, direct-only or relay-only"),
    };

    private static bool IsHeadStart(string text) =>
        text.StartsWith(HeadStart, StringComparison.Ordinal) && ushort.TryParse(text.AsSpan(HeadStart.Length), NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
