using Gimlet.House.Tests.Support;

namespace Gimlet.House.Tests.Deployment;

/// <summary>
/// The part of YAML that the compose file is written in: mappings by indentation, lists of one line (<c>["a", "b"]</c>) or of one item a line, texts with or
/// without double quotes, comments on lines of their own. Anything else fails, so that the tests never misread.
/// </summary>
internal sealed class SimpleYaml
{
    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    private SimpleYaml()
    {
    }

    public static SimpleYaml Read(string path)
    {
        var result = new SimpleYaml();
        var keys = new List<string>();
        foreach (string line in Repository.Read(path).ReplaceLineEndings("\n").Split('\n'))
        {
            string text = line.Trim();
            if (text.Length == 0 || text[0] == '#')
            {
                continue;
            }

            int indent = line.Length - line.TrimStart().Length;
            Assert.True(indent % 2 == 0 && !line.Contains('\t', StringComparison.Ordinal), $"{path}: '{line}' is not indented by two blanks a level");
            if (text.StartsWith("- ", StringComparison.Ordinal))
            {
                Assert.Equal(indent / 2, keys.Count);
                result.Add(keys, Scalar(path, text[2..]));
                continue;
            }

            int colon = text.IndexOf(':', StringComparison.Ordinal);
            Assert.True(colon > 0 && indent / 2 <= keys.Count, $"{path}: '{line}' is neither a key nor an item");
            keys.RemoveRange(indent / 2, keys.Count - (indent / 2));
            keys.Add(text[..colon]);
            string value = text[(colon + 1)..].Trim();
            if (value.StartsWith('['))
            {
                Assert.EndsWith("]", value, StringComparison.Ordinal);
                foreach (string item in value[1..^1].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                {
                    result.Add(keys, Scalar(path, item));
                }
            }
            else if (value.Length > 0)
            {
                result.Add(keys, Scalar(path, value));
            }
            else
            {
                _ = result._values.TryAdd(string.Join('/', keys), []);
            }
        }

        return result;
    }

    /// <summary>The values at a path such as <c>services/server/ports</c>.</summary>
    public IReadOnlyList<string> All(string path) => _values.GetValueOrDefault(path) ?? [];

    /// <summary>The one value at a path.</summary>
    public string One(string path)
    {
        Assert.True(_values.ContainsKey(path), $"there is no {path}");
        return Assert.Single(_values[path]);
    }

    /// <summary>The keys right below a path.</summary>
    public IReadOnlyList<string> Keys(string path) =>
        [.. _values.Keys.Where(k => k.StartsWith(path + "/", StringComparison.Ordinal)).Select(k => k[(path.Length + 1)..].Split('/')[0]).Distinct()];

    private static string Scalar(string path, string text)
    {
        bool quoted = text.Length > 1 && text[0] == '"' && text[^1] == '"';
        Assert.True(quoted || text.IndexOfAny(['"', '\'', '#', '{', '&', '*', '|', '>', '!']) < 0, $"{path}: '{text}' is more of YAML than is read here");
        return quoted ? text[1..^1] : text;
    }

    private void Add(List<string> keys, string value)
    {
        string path = string.Join('/', keys);
        if (!_values.TryGetValue(path, out List<string>? list))
        {
            _values[path] = list = [];
        }

        list.Add(value);
    }
}
