namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>What becomes of a datagram that a test has its eye on.</summary>
/// <param name="Kind">What.</param>
/// <param name="By">Of <see cref="FateKind.Delay"/>: how much later it arrives.</param>
/// <param name="Bytes">Of <see cref="FateKind.Replace"/>: what arrives instead.</param>
internal readonly record struct Fate(FateKind Kind, TimeSpan By = default, byte[]? Bytes = null)
{
    /// <summary>The link decides.</summary>
    public static Fate None => default;

    public static Fate Lose => new(FateKind.Lose);

    public static Fate Duplicate => new(FateKind.Duplicate);

    public static Fate Corrupt => new(FateKind.Corrupt);

    public static Fate Delay(TimeSpan by) => new(FateKind.Delay, by);

    public static Fate Replace(byte[] bytes) => new(FateKind.Replace, Bytes: bytes);
}

/// <summary>The verbs of <see cref="Fate"/>.</summary>
internal enum FateKind
{
    None,
    Lose,
    Duplicate,
    Corrupt,
    Delay,
    Replace,
}
