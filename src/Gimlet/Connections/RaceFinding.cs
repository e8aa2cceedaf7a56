using System.Buffers.Binary;

namespace Gimlet.Connections;

/// <summary>One side's findings as they travel on the control stream (docs/protocol.md section 7).</summary>
internal readonly record struct RaceFinding(RaceOutcome Direct, RaceOutcome Relay, TimeSpan ToDirect, TimeSpan ToRelay, PathKind? Winner)
{
    public const int Length = 12;

    private const byte Version = 1;

    public byte[] Write()
    {
        byte[] payload = new byte[Length];
        payload[0] = Version;
        payload[1] = (byte)Direct;
        payload[2] = (byte)Relay;
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(3), Milliseconds(ToDirect));
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(7), Milliseconds(ToRelay));
        payload[11] = Winner switch { null => 0, PathKind.Relay => 1, _ => 2 };
        return payload;
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out RaceFinding finding)
    {
        finding = default;
        if (payload.Length < Length || payload[0] != Version || payload[1] > (byte)RaceOutcome.TimedOut || payload[2] > (byte)RaceOutcome.TimedOut || payload[11] > 2)
        {
            return false;
        }

        finding = new RaceFinding(
            (RaceOutcome)payload[1],
            (RaceOutcome)payload[2],
            TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32BigEndian(payload[3..])),
            TimeSpan.FromMilliseconds(BinaryPrimitives.ReadUInt32BigEndian(payload[7..])),
            payload[11] switch { 0 => null, 1 => PathKind.Relay, _ => PathKind.Direct });
        return true;
    }

    private static uint Milliseconds(TimeSpan time) => (uint)Math.Clamp(time.TotalMilliseconds, 0, uint.MaxValue);
}

/// <summary>What a race came to, as it travels on the control stream.</summary>
internal static class RaceDecision
{
    public const int Length = 2;

    private const byte Version = 1;

    public static byte[] Write(PathKind winner) => [Version, (byte)(winner == PathKind.Relay ? 1 : 2)];

    public static bool TryRead(ReadOnlySpan<byte> payload, out PathKind winner)
    {
        bool isRead = payload.Length >= Length && payload[0] == Version && payload[1] is (1 or 2);
        winner = isRead && payload[1] == 2 ? PathKind.Direct : PathKind.Relay;
        return isRead;
    }
}
