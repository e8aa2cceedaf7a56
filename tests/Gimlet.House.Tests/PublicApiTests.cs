using System.Reflection;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests;

/// <summary>The public surface of each library changes only on purpose: run once with GIMLET_UPDATE_API=1 and look at the difference.</summary>
public sealed class PublicApiTests
{
    public static TheoryData<string> Libraries =>
        [.. Repository.Layers.Where(l => l != "Gimlet.Cli" && Repository.Exists($"src/{l}"))];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_public_API_is_the_one_that_was_agreed_on(string library)
    {
        string path = Path.Combine(Repository.Root, "tests", "Gimlet.House.Tests", "PublicApi", library + ".txt");
        string actual = ApiDump.Of(Assembly.Load(library));
        if (Environment.GetEnvironmentVariable("GIMLET_UPDATE_API") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.True(File.Exists(path), $"There is no {path}; run the tests once with GIMLET_UPDATE_API=1.");
        string[] agreed = File.ReadAllLines(path);
        string[] found = actual.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] difference = [.. agreed.Except(found).Select(l => "- " + l), .. found.Except(agreed).Select(l => "+ " + l)];
        Assert.True(agreed.SequenceEqual(found), $"The public API of {library} is another one. If it is meant, run with GIMLET_UPDATE_API=1.\n{string.Join('\n', difference)}");
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Nothing_public_is_without_documentation(string library)
    {
        // The compiler demands the comments; this notices when somebody switches that off.
        string project = Repository.Read($"src/{library}/{library}.csproj");
        Assert.DoesNotContain("CS1591", project, StringComparison.Ordinal);
        Assert.DoesNotContain("GenerateDocumentationFile", project, StringComparison.Ordinal);
        Assert.Contains("<GenerateDocumentationFile>true", Repository.Read("Directory.Build.props"), StringComparison.Ordinal);
    }
}
