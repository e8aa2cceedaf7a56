using Xunit;

namespace Gimlet.NatLab.Lab;

/// <summary>What the lab needs of the machine. Where something is missing a test is skipped with the exact reason, or fails where the lab is required.</summary>
internal static class LabRequirements
{
    /// <summary>Set to <c>required</c> (as CI does) so that a lab that cannot run is a failure and never a silent skip.</summary>
    internal const string Variable = "GIMLET_LAB";

    /// <summary>Whether tests that take minutes are wanted (<c>GIMLET_LAB_LONG=1</c>).</summary>
    internal static bool IsLong => Environment.GetEnvironmentVariable("GIMLET_LAB_LONG") == "1";

    private static readonly string[] Tools = ["ip", "nft", "conntrack", "ping"];

    private static readonly Lazy<string?> Missing = new(FindWhatIsMissing);

    /// <summary>Skips the running test, or fails it where <see cref="Variable"/> says so.</summary>
    internal static void Demand()
    {
        if (Missing.Value is not { } reason)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable(Variable) == "required")
        {
            throw new LabException($"{Variable}=required, but the NAT lab cannot run here: {reason}");
        }

        Assert.Skip($"the NAT lab cannot run here: {reason}");
    }

    private static string? FindWhatIsMissing()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "it needs Linux network namespaces";
        }

        if (!Environment.IsPrivilegedProcess)
        {
            return "it needs root, to create network namespaces";
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        var tool = Array.Find(Tools, tool => !folders.Any(folder => File.Exists(Path.Combine(folder, tool))));
        if (tool is not null)
        {
            return $"'{tool}' is not on the PATH (Debian: iproute2 nftables conntrack iputils-ping)";
        }

        return File.Exists("/dev/net/tun") ? null : "/dev/net/tun does not exist (kernel module tun)";
    }
}
