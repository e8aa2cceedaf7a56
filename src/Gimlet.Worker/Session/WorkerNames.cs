using System.Buffers;

namespace Gimlet.Worker.Session;

/// <summary>Worker ids and groups: what a path of a URL takes as it is.</summary>
internal static class WorkerNames
{
    /// <summary>The rule, for messages.</summary>
    public const string Rule = "it has 1 to 128 of the characters A-Z a-z 0-9 . _ ~ : @ -, and is neither . nor ..";

    private const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~:@-");

    /// <summary>Whether a name may be one. A path that ends in dots only would be another path.</summary>
    public static bool IsValid(string? name) =>
        name is { Length: > 0 and <= MaxLength } && name is not ("." or "..") && !name.AsSpan().ContainsAnyExcept(Allowed);
}
