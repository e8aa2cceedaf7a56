using System.Buffers.Binary;
using System.Numerics;

namespace Gimlet.Simulation;

/// <summary>
/// xoshiro256** (Blackman and Vigna), seeded through splitmix64. System.Random's seeded algorithm is slow and its sequence is
/// an implementation detail of the runtime; a failing seed must stay a failing seed on another machine.
/// </summary>
internal sealed class SimRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public SimRandom(ulong seed)
    {
        _a = SplitMix(ref seed);
        _b = SplitMix(ref seed);
        _c = SplitMix(ref seed);
        _d = SplitMix(ref seed);
    }

    /// <summary>A stream of its own for each name, so that one more draw in one place does not shift the draws of any other.</summary>
    public static SimRandom Stream(ulong seed, string name)
    {
        // FNV-1a, because string.GetHashCode differs from process to process.
        ulong hash = 0xcbf2_9ce4_8422_2325;
        foreach (char c in name)
        {
            hash = (hash ^ c) * 0x100_0000_01b3;
        }

        return new SimRandom(SplitMix(ref seed) ^ hash);
    }

    public ulong NextUInt64()
    {
        ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        ulong t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>0 up to, not including, <paramref name="end"/>.</summary>
    public int Next(int end) => (int)Math.BigMul(NextUInt64(), (ulong)end, out _);

    /// <summary>From <paramref name="start"/> up to, not including, <paramref name="end"/>.</summary>
    public int Next(int start, int end) => start + Next(end - start);

    public TimeSpan Next(TimeSpan start, TimeSpan end) =>
        start + TimeSpan.FromTicks((long)(NextDouble() * (end - start).Ticks));

    /// <summary>From 0 up to, not including, 1.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    public bool Chance(double probability) => probability > 0 && NextDouble() < probability;

    public void Fill(Span<byte> destination)
    {
        Span<byte> last = stackalloc byte[8];
        while (destination.Length >= 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination, NextUInt64());
            destination = destination[8..];
        }

        BinaryPrimitives.WriteUInt64LittleEndian(last, NextUInt64());
        last[..destination.Length].CopyTo(destination);
    }

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9e37_79b9_7f4a_7c15;
        z = (z ^ (z >> 30)) * 0xbf58_476d_1ce4_e5b9;
        z = (z ^ (z >> 27)) * 0x94d0_49bb_1331_11eb;
        return z ^ (z >> 31);
    }
}
