using System.Text.Json;

namespace Gimlet.NatLab.Cells;

/// <summary>One line that a <c>gimlet</c> process wrote to standard output with <c>--json</c>.</summary>
/// <param name="Name">The <c>event</c> field.</param>
/// <param name="Fields">The whole object.</param>
internal sealed record GimletEvent(string Name, JsonElement Fields)
{
    /// <summary>When the lab read the line (<see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>): one clock for all processes.</summary>
    internal long ReadAt { get; init; }

    /// <summary>A text field; what is not there is null.</summary>
    internal string? Text(string field)
        => Fields.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A numeric field.</summary>
    /// <exception cref="KeyNotFoundException">It is not there or no number.</exception>
    internal double Number(string field)
        => Fields.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            ? number
            : throw new KeyNotFoundException($"no number '{field}' in {Fields.GetRawText()}");

    public override string ToString() => Fields.GetRawText();

    /// <summary>Reads one line.</summary>
    /// <returns>Null where the line is not an object with an <c>event</c>.</returns>
    internal static GimletEvent? Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement.Clone();
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("event", out var name) && name.ValueKind == JsonValueKind.String && name.GetString() is { } text
                ? new GimletEvent(text, root)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
