namespace Gimlet.Quic.Tests.Paths.Support;

/// <summary>Randomness that repeats.</summary>
internal static class Seeded
{
    public static Action<Span<byte>> Bytes(int seed)
    {
        var random = new Random(seed);
        return random.NextBytes;
    }
}
