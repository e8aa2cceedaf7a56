using System.Globalization;

namespace Gimlet.Bench.Common;

/// <summary>Goes through a command line name by name; the reader of a name takes the values that belong to it.</summary>
public sealed class ArgumentReader(string[] args)
{
    private int _next;

    /// <summary>The argument that was read last.</summary>
    public string Name { get; private set; } = string.Empty;

    /// <summary>Goes to the next name; false at the end.</summary>
    public bool Read()
    {
        if (_next == args.Length)
        {
            return false;
        }

        Name = args[_next++];
        return true;
    }

    /// <summary>The value of <see cref="Name"/>.</summary>
    /// <exception cref="FormatException">There is none.</exception>
    public string Text() => _next < args.Length ? args[_next++] : throw new FormatException($"{Name} needs a value.");

    /// <summary>The value of <see cref="Name"/> as a number.</summary>
    /// <exception cref="FormatException">There is none, or it is out of bounds.</exception>
    public int Number(int least, int most) =>
        int.TryParse(Text(), NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new FormatException($"{Name} needs a number from {least} to {most}.");

    /// <summary>What to throw when nobody knows <see cref="Name"/>.</summary>
    public FormatException Unknown() => new($"Unknown argument {Name}.");
}
