namespace Gimlet.Tests.Support;

/// <summary>Random bytes that repeat from a seed.</summary>
internal static class SeededRandom
{
    public static Action<Span<byte>> From(int seed)
    {
        var random = new Random(seed);
        return random.NextBytes;
    }
}
