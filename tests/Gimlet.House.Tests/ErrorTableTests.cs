using System.Text;
using System.Text.RegularExpressions;
using Gimlet.Cli.Running;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests;

/// <summary>One table of errors: the enum is the source, docs/errors.md is made from it (GIMLET_UPDATE_DOCS=1 writes it).</summary>
public sealed partial class ErrorTableTests
{
    private const string Document = "docs/errors.md";

    [Fact]
    public void Every_kind_has_a_string_of_its_own_and_a_hint()
    {
        GimletErrorKind[] kinds = Enum.GetValues<GimletErrorKind>();
        Assert.Equal(kinds.Length, kinds.Select(k => k.ToKindString()).Distinct(StringComparer.Ordinal).Count());
        Assert.All(kinds, k => Assert.Matches("^[a-z]+(-[a-z]+)*$", k.ToKindString()));
        Assert.All(kinds, k => Assert.EndsWith(".", k.DefaultHint(), StringComparison.Ordinal));
        Assert.All(kinds, k => Assert.Equal(k.DefaultHint(), new GimletException(k, "what happened").Hint));
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => ((GimletErrorKind)999).ToKindString());
    }

    [Fact]
    public void The_comment_of_each_kind_names_its_string() =>
        Assert.All(Rows(), r => Assert.Equal(r.Kind.ToKindString(), r.Text));

    [Fact]
    public void The_document_is_made_from_the_enum()
    {
        string expected = Write();
        string path = Path.Combine(Repository.Root, Document);
        if (Environment.GetEnvironmentVariable("GIMLET_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, expected);
        }

        Assert.True(File.Exists(path), $"There is no {Document}; run the tests once with GIMLET_UPDATE_DOCS=1.");
        Assert.Equal(expected, File.ReadAllText(path).ReplaceLineEndings("\n"));
    }

    private static string Write()
    {
        var text = new StringBuilder();
        _ = text.Append("# Errors\n\n")
            .Append("Every failure is a `GimletException` with a `Kind`, a message that says what happened (with the value or the evidence), and a hint. On the command\n")
            .Append("line it is one `error {kind, message, hint}` event and the exit status below; an exit status of 0 is success. Kinds and exit statuses are stable.\n\n")
            .Append("This table is made from `GimletErrorKind`; a test compares them (`GIMLET_UPDATE_DOCS=1` writes it anew).\n\n")
            .Append("| kind | exit status | meaning | what usually helps |\n|---|---|---|---|\n");
        foreach ((GimletErrorKind kind, string meaning, string name) in Rows())
        {
            _ = text.Append($"| `{name}` | {ExitCodes.Of(kind, isDirectRequired: false)} | {meaning} | {kind.DefaultHint()} |\n");
        }

        return text.ToString();
    }

    private static List<(GimletErrorKind Kind, string Meaning, string Text)> Rows()
    {
        var rows = new List<(GimletErrorKind, string, string)>();
        foreach (Match match in Member().Matches(Repository.Read("src/Gimlet/Errors/GimletErrorKind.cs")))
        {
            rows.Add((Enum.Parse<GimletErrorKind>(match.Groups["name"].Value), match.Groups["meaning"].Value, match.Groups["text"].Value));
        }

        Assert.Equal(Enum.GetValues<GimletErrorKind>(), rows.Select(r => r.Item1));
        return rows;
    }

    [GeneratedRegex("""/// <summary>(?<meaning>[^\n]+) <c>(?<text>[^<]+)</c></summary>\s+(?<name>\w+),""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Member();
}
