namespace Gimlet.Quic;

/// <summary>Checks of option values; the message names the option, its value and what is permitted.</summary>
internal static class OptionCheck
{
    // RFC 9000 section 16: the largest variable-length integer.
    private const long MaxInteger = (1L << 62) - 1;

    public static void Range<T>(T value, T min, T max, string name)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}; it must be from {min} to {max}.");
        }
    }

    /// <summary>Codes of applications are variable-length integers (RFC 9000 section 20.2).</summary>
    public static void ErrorCode(long value, string name) => Range(value, 0, MaxInteger, name);
}
