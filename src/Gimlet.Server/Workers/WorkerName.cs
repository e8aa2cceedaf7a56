using System.Buffers;

namespace Gimlet.Server.Workers;

/// <summary>The texts that name workers and groups. They need no escaping in JSON, in a URL's path or in a log.</summary>
internal static class WorkerName
{
    /// <summary>128 characters: a UUID has 36, a host name with a number rarely more than 80.</summary>
    public const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:@-");

    /// <summary>Null when the text is a name; otherwise what is wrong with it.</summary>
    /// <param name="what">What it names, as a sentence begins.</param>
    /// <param name="text">The text.</param>
    public static string? FindProblem(string what, string? text) => IsName(text)
        ? null
        : $"{what} has 1 to {MaxLength} characters of A-Z a-z 0-9 . _ ~ : @ -";

    public static bool IsName(string? text) => text is { Length: > 0 and <= MaxLength } && !text.AsSpan().ContainsAnyExcept(Allowed);
}
