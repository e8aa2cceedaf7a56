namespace Gimlet.House.Tests.Support;

/// <summary>The files of this repository, found from where the tests run.</summary>
internal static class Repository
{
    private static readonly string[] BuiltFolders = ["bin", "obj", "artifacts", ".git", ".vs", ".idea", "TestResults", "BenchmarkDotNet.Artifacts"];

    /// <summary>The libraries and programs, lower layers first. A project may know those before it and no others.</summary>
    public static readonly string[] Layers = ["Gimlet.Sockets", "Gimlet.Stun", "Gimlet.PortMapping", "Gimlet.Quic", "Gimlet", "Gimlet.Server", "Gimlet.Worker", "Gimlet.Cli"];

    public static string Root { get; } = FindRoot();

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    public static bool Exists(string path) => File.Exists(Path.Combine(Root, path)) || Directory.Exists(Path.Combine(Root, path));

    /// <summary>All files that people wrote, relative to the root, with forward slashes.</summary>
    public static IEnumerable<string> Files(params string[] extensions)
    {
        var folders = new Stack<string>([Root]);
        while (folders.TryPop(out string? folder))
        {
            foreach (string inner in Directory.GetDirectories(folder).Where(d => !BuiltFolders.Contains(Path.GetFileName(d))))
            {
                folders.Push(inner);
            }

            foreach (string file in Directory.GetFiles(folder).Where(f => extensions.Length == 0 || extensions.Contains(Path.GetExtension(f))))
            {
                yield return Path.GetRelativePath(Root, file).Replace('\\', '/');
            }
        }
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Gimlet.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }
}
