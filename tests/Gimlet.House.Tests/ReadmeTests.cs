using System.Text.RegularExpressions;
using Gimlet.House.Tests.Samples;
using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests;

public sealed partial class ReadmeTests
{
    [Fact]
    public void The_program_in_the_README_is_the_one_that_compiles_here()
    {
        string source = Repository.Read($"tests/Gimlet.House.Tests/Samples/{nameof(ReadmeSample)}.cs").ReplaceLineEndings("\n");
        string sample = source.Split("// <readme>\n")[1].Split("// </readme>")[0];
        string expected = "using Gimlet;\n\n" + string.Join('\n', sample.TrimEnd().Split('\n').Select(l => l.Length > 8 ? l[8..] : l.Trim())) + "\n";
        Match block = Assert.Single(Block().Matches(Repository.Read("README.md").ReplaceLineEndings("\n")));
        Assert.Equal(expected, block.Groups["code"].Value);
    }

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Block();
}
