using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests.Deployment;

/// <summary>One instruction of a Dockerfile.</summary>
/// <param name="Stage">The build stage, from 0; -1 before the first.</param>
/// <param name="Word">The instruction, such as <c>COPY</c>.</param>
/// <param name="Arguments">The words after it, as they stand.</param>
internal sealed record Instruction(int Stage, string Word, string[] Arguments)
{
    /// <summary>The words that are no options.</summary>
    public string[] Operands => [.. Arguments.Where(static a => !a.StartsWith("--", StringComparison.Ordinal))];

    /// <summary>The arguments as one text.</summary>
    public string Text => string.Join(' ', Arguments);
}

/// <summary>A Dockerfile of the repository, read as far as the tests need it: instructions of one line, without escapes.</summary>
internal sealed class Dockerfile
{
    private Dockerfile(string path, Instruction[] instructions)
    {
        Path = path;
        Instructions = instructions;
        LastStage = instructions.Max(static i => i.Stage);
    }

    public string Path { get; }

    public IReadOnlyList<Instruction> Instructions { get; }

    public int LastStage { get; }

    public static Dockerfile Read(string path)
    {
        var found = new List<Instruction>();
        int stage = -1;
        foreach (string line in Repository.Read(path).ReplaceLineEndings("\n").Split('\n').Select(static l => l.Trim()).Where(static l => l.Length > 0 && l[0] != '#'))
        {
            Assert.False(line.EndsWith('\\'), $"{path}: '{line}' goes on in the next line, which these tests do not read");
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            stage += words[0] == "FROM" ? 1 : 0;
            found.Add(new Instruction(stage, words[0], words[1..]));
        }

        return new Dockerfile(path, [.. found]);
    }

    /// <summary>The instructions of that name in the image that comes out.</summary>
    public IEnumerable<Instruction> Final(string word) => Instructions.Where(i => i.Stage == LastStage && i.Word == word);

    /// <summary>The exposed ports, such as <c>8080/tcp</c>.</summary>
    public IReadOnlyList<string> Ports => [.. Final("EXPOSE").SelectMany(static i => i.Arguments)];

    /// <summary>The environment of the image that comes out.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        Final("ENV").SelectMany(static i => i.Arguments).Select(static a => a.Split('=', 2)).ToDictionary(static p => p[0], static p => p[1], StringComparer.Ordinal);
}
