using System.Globalization;

namespace Gimlet.Cli.Options;

/// <summary>What a ticket allows, as people write it.</summary>
internal static class TicketText
{
    private const string Once = "once";

    // Beyond a year a unit was forgotten; who means for ever does not give a time.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <summary>For one peer, and no end.</summary>
    public static TicketOptions ForOne { get; } = new() { OneTime = true };

    /// <summary>Reads <c>once</c>, a time such as <c>30m</c>, or both with a comma.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is neither.</exception>
    public static TicketOptions Read(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        bool once = parts.Contains(Once, StringComparer.Ordinal);
        string[] times = [.. parts.Where(static p => p != Once)];
        return (once, times) switch
        {
            (true, []) when parts.Length == 1 => ForOne,
            (_, [var time]) when parts.Length <= 2 => new TicketOptions { OneTime = once, Lifetime = ReadTime(time) },
            _ => throw Wrong(),
        };
    }

    private static TimeSpan ReadTime(string text)
    {
        TimeSpan? unit = text.Length == 0 ? null : text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => null,
        };
        if (unit is null || !uint.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
        {
            throw Wrong();
        }

        return number > 0 && number <= Longest / unit.Value
            ? unit.Value * number
            : throw new FormatException("the time must be longer than zero and at most a year");
    }

    private static FormatException Wrong() => new("it must be once, a time with its unit such as 90s, 30m, 12h or 7d, or both as in once,30m");
}
