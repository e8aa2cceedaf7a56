using System.Diagnostics;

namespace Gimlet.NatLab.Lab;

/// <summary>The <c>dotnet</c> that runs the lab's own child processes.</summary>
internal static class DotnetHost
{
    /// <summary>The one this build was started with, or the one on the PATH.</summary>
    internal static string Path { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>Leaves out what a short-lived child does not need and what must not leak into it from the caller's shell.</summary>
    internal static void Quiet(ProcessStartInfo start)
    {
        // The diagnostic port is a socket and a thread per process that nobody connects to.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("GIMLET_", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        // Whoever compares the events of two processes needs one clock.
        start.Environment["GIMLET_EVENT_CLOCK"] = "1";
    }
}
