using System.Diagnostics;

namespace Gimlet.Bench.Quic.Comparing;

/// <summary>Finds the foreign programs, or builds them where their tools are installed.</summary>
internal static class PeerPrograms
{
    /// <summary>The path of a program, or why there is none.</summary>
    public static string? Find(string name, string? given, out string reason)
    {
        reason = string.Empty;
        if (given is not null)
        {
            reason = $"there is no {given}";
            return File.Exists(given) ? given : null;
        }

        if (FindScript() is not { } script)
        {
            reason = "tests/peers/build.sh was not found above this program";
            return null;
        }

        using Process build = Process.Start(
            new ProcessStartInfo(script, [name]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        Task<string> errors = build.StandardError.ReadToEndAsync();
        string output = build.StandardOutput.ReadToEnd().Trim();
        build.WaitForExit();
        if (build.ExitCode == 0)
        {
            return output;
        }

        reason = errors.GetAwaiter().GetResult().Trim();
        return null;
    }

    private static string? FindScript()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string script = Path.Combine(folder.FullName, "tests", "peers", "build.sh");
            if (File.Exists(script))
            {
                return script;
            }
        }

        return null;
    }
}
