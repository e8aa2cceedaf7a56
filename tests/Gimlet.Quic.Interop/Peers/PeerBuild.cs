using System.Collections.Concurrent;
using System.Diagnostics;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>Builds the programs of <c>tests/peers</c>, each once per test run, and says why where that cannot be.</summary>
internal static class PeerBuild
{
    // A first build of quinn is two minutes of processor time, which a busy machine stretches.
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(15);

    // What build.sh says where a compiler or a library is not on the machine.
    private const int ToolMissing = 3;

    private static readonly string[] Names = ["quic-go", "quinn"];

    private static readonly ConcurrentDictionary<string, Lazy<Task<PeerProgram>>> Built = new(StringComparer.Ordinal);

    /// <summary>
    /// The program of a peer. Skips the running test where its tools are missing, or fails it where <c>GIMLET_LAB</c> is <c>required</c>.
    /// </summary>
    public static async Task<string> DemandAsync(string peer)
    {
        PeerProgram program = await Get(peer);
        PeerRequirements.Demand(program.Missing);
        return program.Path;
    }

    /// <summary>Builds all of them, so that no test's time goes into it. What is missing is for the tests to say.</summary>
    public static Task PrepareAsync() => Task.WhenAll(Names.Select(Get));

    private static Task<PeerProgram> Get(string peer) =>
        Built.GetOrAdd(peer, static name => new Lazy<Task<PeerProgram>>(() => BuildAsync(name))).Value;

    private static async Task<PeerProgram> BuildAsync(string peer)
    {
        if (!OperatingSystem.IsLinux())
        {
            return new PeerProgram("", "the foreign peers are built on Linux");
        }

        string script = Path.Combine(Repository(), "tests", "peers", "build.sh");
        var start = new ProcessStartInfo(script, [peer]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{script} did not start");
        Task<string> output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException late)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{script} {peer} did not end within {Deadline}", late);
        }

        return process.ExitCode switch
        {
            0 => new PeerProgram((await output).Trim(), null),
            ToolMissing => new PeerProgram("", (await errors).Trim()),
            _ => throw new InvalidOperationException($"{script} {peer} ended with code {process.ExitCode}: {await errors}"),
        };
    }

    private static string Repository()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Gimlet.slnx")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException($"no checkout around {AppContext.BaseDirectory}");
    }

    private readonly record struct PeerProgram(string Path, string? Missing);
}
