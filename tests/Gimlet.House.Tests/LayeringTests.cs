using System.Reflection;
using System.Xml.Linq;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests;

/// <summary>References point only downwards (docs/architecture.md, "Layers").</summary>
public sealed class LayeringTests
{
    public static TheoryData<string> Projects => [.. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Select(Path.GetFileName).OfType<string>()];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_names_only_lower_layers(string project)
    {
        int layer = Array.IndexOf(Repository.Layers, project);
        Assert.True(layer >= 0, $"{project} is in no layer; add it to {nameof(Repository.Layers)}, and to docs/architecture.md");
        var file = XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj"));
        foreach (string reference in file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)))
        {
            Assert.True(Array.IndexOf(Repository.Layers, reference) is int lower && lower >= 0 && lower < layer, $"{project} refers to {reference}");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_compiled_assembly_uses_only_lower_layers(string project)
    {
        int layer = Array.IndexOf(Repository.Layers, project);
        string[] used = [.. Assembly.Load(project).GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("Gimlet", StringComparison.Ordinal))];
        Assert.All(used, u => Assert.InRange(Array.IndexOf(Repository.Layers, u), 0, layer - 1));
    }

    [Fact]
    public void Native_calls_are_made_in_three_places_only()
    {
        // The kernel's socket calls, the platform's libcrypto behind the packet-protection seam (docs/quic.md), and the end of standard output in the middle of
        // gimlet pipe, of which the framework keeps copies open.
        string[] callers = [.. Repository.Files(".cs").Where(f => f.StartsWith("src/", StringComparison.Ordinal)
            && !f.StartsWith("src/Gimlet.Sockets/", StringComparison.Ordinal)
            && !f.StartsWith("src/Gimlet.Quic/Protection/LibCrypto/", StringComparison.Ordinal)
            && f != "src/Gimlet.Cli/Running/OutputEnd.cs"
            && (Repository.Read(f).Contains("[LibraryImport", StringComparison.Ordinal) || Repository.Read(f).Contains("[DllImport", StringComparison.Ordinal)))];
        Assert.Empty(callers);
    }

    [Fact]
    public void Every_layer_that_exists_is_described()
    {
        string architecture = Repository.Read("docs/architecture.md");
        Assert.All(Projects.Select(p => p.Data), p => Assert.Contains($"`src/{p}`", architecture, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = Repository.Read("Gimlet.slnx");
        Assert.All(Repository.Files(".csproj"), p => Assert.Contains($"\"{p}\"", solution, StringComparison.Ordinal));
    }
}
