namespace Gimlet.Quic.Interop.Peers;

/// <summary>What happens to a test whose foreign peer is not on the machine.</summary>
internal static class PeerRequirements
{
    /// <summary>Set to <c>required</c> (as CI does) so that a peer that cannot run is a failure and never a silent skip.</summary>
    public const string Variable = "GIMLET_LAB";

    /// <summary>Goes on where nothing is missing; otherwise skips the running test, or fails it where <see cref="Variable"/> says so.</summary>
    public static void Demand(string? missing)
    {
        if (missing is null)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable(Variable) == "required")
        {
            Assert.Fail($"{Variable}=required, but a foreign peer cannot run here: {missing}");
        }

        Assert.Skip($"a foreign peer cannot run here: {missing}");
    }

    /// <summary>The path of a program; skips or fails as <see cref="Demand"/> where it is not installed.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="package">Debian's package.</param>
    public static string DemandProgram(string program, string package)
    {
        // Debian puts some where only root's PATH looks.
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin"];
        string? found = folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        Demand(found is null ? $"{program} is not on the PATH (Debian: {package})" : null);
        return found!;
    }
}
