using System.Text.RegularExpressions;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests;

public sealed partial class FileTests
{
    private const int MaxLines = 600;
    private const int MinReasonLength = 10;

    [Fact]
    public void No_source_file_has_two_ideas()
    {
        string[] tooLong = [.. Repository.Files(".cs").Where(f => File.ReadLines(Path.Combine(Repository.Root, f)).Count() > MaxLines)];
        Assert.Empty(tooLong);
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("LICENSE")]
    [InlineData("CHANGELOG.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("SECURITY.md")]
    [InlineData(".editorconfig")]
    [InlineData(".ci/run")]
    [InlineData("global.json")]
    [InlineData("docs/architecture.md")]
    [InlineData("docs/protocol.md")]
    [InlineData("docs/errors.md")]
    [InlineData("docs/decisions")]
    public void The_house_has(string path) => Assert.True(Repository.Exists(path), path);

    [Fact]
    public void No_file_names_a_package_registry_or_a_path_of_one_machine()
    {
        // Written in parts, or this file would name them.
        string[] forbidden = ["nuget" + ".org", "npmjs" + ".", "pypi" + ".", "deb.debian" + ".org", "docker" + ".io", "/ho" + "me/", "/ro" + "ot/", "/wo" + "rk/", "/Us" + "ers/", "C:" + "\\Users", "/tmp/ba" + "sh"];
        string[] extensions = [".cs", ".csproj", ".props", ".targets", ".md", ".json", ".xml", ".slnx", ".globalconfig", ".sh", ".txt", ".hex", ".editorconfig", string.Empty];
        IEnumerable<string> found = Repository.Files(extensions).Where(f => f != ".git").SelectMany(f => forbidden.Where(w => Repository.Read(f).Contains(w, StringComparison.OrdinalIgnoreCase)).Select(w => $"{f}: {w}"));
        Assert.Empty(found);
    }

    [Fact]
    public void Every_test_that_is_skipped_says_why()
    {
        foreach (string file in Repository.Files(".cs").Where(f => f.StartsWith("tests/", StringComparison.Ordinal)))
        {
            foreach (Match skip in Skip().Matches(Repository.Read(file)))
            {
                // A literal that is a sentence, or a reason that is computed.
                string argument = skip.Groups["reason"].Value;
                Match literal = Literal().Match(argument);
                Assert.True(literal.Success ? literal.Length >= MinReasonLength : argument.Any(char.IsLetter), $"{file}: {skip.Value}");
            }
        }
    }

    [Fact]
    public void No_promise_is_left_in_the_code()
    {
        string[] words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "NotImplemented" + "Exception", "async " + "void"];
        IEnumerable<string> found = Repository.Files(".cs").SelectMany(f => words.Where(w => Repository.Read(f).Contains(w, StringComparison.Ordinal)).Select(w => $"{f}: {w}"));
        Assert.Empty(found);
    }

    [Fact]
    public void Every_link_between_documents_leads_somewhere()
    {
        var broken = new List<string>();
        foreach (string file in Repository.Files(".md"))
        {
            string folder = Path.GetDirectoryName(file) ?? string.Empty;
            broken.AddRange(Link().Matches(Repository.Read(file))
                .Select(m => m.Groups["target"].Value)
                .Where(t => !t.Contains("://", StringComparison.Ordinal) && !t.StartsWith('#') && !Repository.Exists(Path.Combine(folder, t.Split('#')[0])))
                .Select(t => $"{file}: {t}"));
        }

        Assert.Empty(broken);
    }

    [Fact]
    public void Every_package_version_is_central()
    {
        string[] own = [.. Repository.Files(".csproj").Where(f => Repository.Read(f).Contains(" Version=", StringComparison.Ordinal))];
        Assert.Empty(own);
    }

    [Fact]
    public void Every_pragma_that_silences_a_rule_says_why()
    {
        foreach (string file in Repository.Files(".cs"))
        {
            foreach (string line in Repository.Read(file).Split('\n').Where(l => l.TrimStart().StartsWith("#pragma warning dis" + "able", StringComparison.Ordinal)))
            {
                Assert.True(line.Contains("//", StringComparison.Ordinal), $"{file}: {line.Trim()}");
            }
        }
    }

    [GeneratedRegex("""(?:Assert\.Skip(?:When|Unless)?\((?<reason>[^;]*)\)|\bSkip\s*=\s*(?<reason>[^,)\]]+));?""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Skip();

    [GeneratedRegex("\"[^\"]*\"", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Literal();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();
}
