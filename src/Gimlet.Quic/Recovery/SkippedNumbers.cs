using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// Packet numbers that are left out on purpose, now and then: whoever acknowledges one acknowledges what it did not receive, to make us send
/// faster than the path carries (RFC 9000 section 21.4).
/// </summary>
internal sealed class SkippedNumbers
{
    // An attacker that acknowledges blindly meets one of the last few at once; older ones it could have learned from their gap.
    private const int Remembered = 4;

    private readonly Action<Span<byte>> _random;
    private readonly RecoverySettings _settings;
    private Numbers _numbers;
    private int _count;
    private int _interval;
    private long _next;

    public SkippedNumbers(RecoverySettings settings, Action<Span<byte>> random)
    {
        _settings = settings;
        _random = random;
        _interval = settings.FirstSkipInterval;
        _next = Draw();
    }

    /// <summary>Whether the number must not be used.</summary>
    public bool ShouldSkip(long packetNumber)
    {
        if (packetNumber < _next)
        {
            return false;
        }

        _numbers[_count++ % Remembered] = packetNumber;
        _interval = Math.Min(_interval * 2, _settings.MaxSkipInterval);
        _next = packetNumber + Draw();
        return true;
    }

    /// <summary>Whether a number of the range was never sent.</summary>
    public bool IsIn(in AckRange range)
    {
        for (int i = 0; i < Math.Min(_count, Remembered); i++)
        {
            if (range.Contains(_numbers[i]))
            {
                return true;
            }
        }

        return false;
    }

    // At least one number lies between two that are skipped.
    private long Draw()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        _random(bytes);
        return 2 + (BinaryPrimitives.ReadUInt32LittleEndian(bytes) % (uint)_interval);
    }

    [InlineArray(Remembered)]
    private struct Numbers
    {
        private long _first;
    }
}
