using System.Runtime.CompilerServices;
using Xunit.Sdk;

namespace Gimlet.Simulation.Tests;

/// <summary>
/// Runs a story once per seed. <c>GIMLET_SIM_SEED=n</c> runs that seed alone, with its packets traced; <c>GIMLET_SIM_SEEDS=n</c> runs n
/// seeds instead of the test's own number; with <c>GIMLET_SIM_ALL=1</c> it goes on after a failure and names all that fail. A failing seed names itself with
/// the command that repeats it.
/// </summary>
internal static class Seeds
{
    /// <summary>Runs <paramref name="story"/> with the seeds 1, 2, 3, ...; the first one that fails ends the test.</summary>
    /// <param name="count">How many seeds where the environment does not say.</param>
    /// <param name="story">Gets the seed and, while a seed is being reproduced, a trace.</param>
    /// <param name="test">The calling test.</param>
    public static void Run(int count, Action<ulong, SimTrace?> story, [CallerMemberName] string test = "")
    {
        if (Number("GIMLET_SIM_SEED") is { } only)
        {
            story(only, new SimTrace(Console.Out) { Describe = StunWords.Describe });
            return;
        }

        RunAll(Number("GIMLET_SIM_SEEDS") ?? (ulong)count, story, test);
    }

    /// <summary>
    /// Runs one of several parts of the seeds 1 to <paramref name="count"/>: each takes every one that is its own, so that they last about as long.
    /// </summary>
    /// <param name="count">How many seeds all parts have where the environment does not say.</param>
    /// <param name="part">Which part, from 0.</param>
    /// <param name="parts">How many there are.</param>
    /// <param name="story">Gets the seed and, while a seed is being reproduced, a trace.</param>
    /// <param name="test">The calling test.</param>
    public static void RunPart(int count, int part, int parts, Action<ulong, SimTrace?> story, [CallerMemberName] string test = "")
    {
        if (Number("GIMLET_SIM_SEED") is { } only && (int)((only - 1) % (ulong)parts) != part)
        {
            // Another part's.
            return;
        }

        Run(count, (seed, trace) =>
        {
            if ((int)((seed - 1) % (ulong)parts) == part)
            {
                story(seed, trace);
            }
        }, test);
    }

    public static void RunAll(ulong last, Action<ulong, SimTrace?> story, string test)
    {
        bool goesOn = Number("GIMLET_SIM_ALL") is 1;
        List<ulong> failed = [];
        for (ulong seed = 1; seed <= last; seed++)
        {
            try
            {
                story(seed, null);
            }
            catch (Exception failure) when (goesOn)
            {
                failed.Add(seed);
                Console.WriteLine($"seed {seed} failed: {failure.Message}");
            }
            catch (Exception failure)
            {
                throw new XunitException(
                    $"seed {seed} failed: {failure.Message}{Environment.NewLine}reproduce: {Reproduction(seed, test)}", failure);
            }
        }

        if (failed.Count > 0)
        {
            throw new XunitException($"{failed.Count} of {last} seeds failed: {string.Join(", ", failed)}{Environment.NewLine}reproduce: {Reproduction(failed[0], test)}");
        }
    }

    public static string Reproduction(ulong seed, string test) =>
        $"GIMLET_SIM_SEED={seed} dotnet run --project tests/Gimlet.Simulation -- -method '*.{test}'";

    private static ulong? Number(string variable)
    {
        string? text = Environment.GetEnvironmentVariable(variable);
        return string.IsNullOrEmpty(text)
            ? null
            : ulong.TryParse(text, out ulong number) ? number : throw new FormatException($"{variable}={text} is not a number.");
    }
}
