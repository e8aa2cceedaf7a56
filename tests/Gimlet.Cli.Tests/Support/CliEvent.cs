using System.Text.Json;

namespace Gimlet.Cli.Tests.Support;

/// <summary>One line of standard output with --json.</summary>
internal sealed record CliEvent(string Name, JsonElement Fields)
{
    /// <summary>The names of the fields, in the order of the line.</summary>
    public IReadOnlyList<string> FieldNames => [.. Fields.EnumerateObject().Select(static p => p.Name)];

    /// <summary>A text that must be there.</summary>
    public string Text(string field) => Fields.GetProperty(field).GetString() ?? throw new InvalidOperationException($"{field} is null in {this}");

    /// <summary>A text that may be null, but must be there.</summary>
    public string? TextOrNull(string field) => Fields.GetProperty(field).GetString();

    /// <summary>A number that must be there.</summary>
    public double Number(string field) => Fields.GetProperty(field).GetDouble();

    /// <summary>A truth value that must be there.</summary>
    public bool Flag(string field) => Fields.GetProperty(field).GetBoolean();

    public override string ToString() => Fields.GetRawText();

    /// <summary>Reads a line; fails the test where it is no event.</summary>
    public static CliEvent Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement.Clone();

            // "event" comes first, so that people who read lines see at once what they are.
            Assert.Equal("event", root.EnumerateObject().First().Name);
            return new CliEvent(root.GetProperty("event").GetString()!, root);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"standard output has a line that is no event: {line}", e);
        }
    }
}
