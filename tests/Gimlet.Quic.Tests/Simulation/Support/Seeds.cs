using System.Globalization;
using System.Runtime.CompilerServices;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>Runs a story for many seeds. A failure says how to see it again, in one line; <c>GIMLET_QUIC_SIM_FRAMES=1</c> then shows more.</summary>
internal static class Seeds
{
    private const string One = "GIMLET_QUIC_SIM_SEED";
    private const string Many = "GIMLET_QUIC_SIM_SEEDS";
    private const string Frames = "GIMLET_QUIC_SIM_FRAMES";

    /// <summary>Whether reports show the last packets with their frames.</summary>
    public static bool ShowsFrames { get; } = Read(Frames) is > 0;

    /// <summary>Runs a story.</summary>
    /// <param name="count">How many seeds a usual run takes; <c>GIMLET_QUIC_SIM_SEEDS</c> gives another number for all stories.</param>
    /// <param name="story">The story; throws when it ends badly.</param>
    /// <param name="test">The test.</param>
    public static void Run(int count, Action<int> story, [CallerMemberName] string test = "")
    {
        if (Read(One) is { } seed)
        {
            RunOne(seed, story, test);
            return;
        }

        int last = Read(Many) ?? count;
        for (int i = 1; i <= last; i++)
        {
            RunOne(i, story, test);
        }
    }

    /// <summary>The line that runs one seed of a test again.</summary>
    public static string Reproduction(int seed, string test) =>
        $"{One}={seed} dotnet run --project tests/Gimlet.Quic.Tests -- -method \"*.{test}\"";

    private static void RunOne(int seed, Action<int> story, string test)
    {
        try
        {
            story(seed);
        }
        catch (Exception e)
        {
            throw new SimulationException($"seed {seed}: {e.Message}\nagain: {Reproduction(seed, test)}", e);
        }
    }

    private static int? Read(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}
