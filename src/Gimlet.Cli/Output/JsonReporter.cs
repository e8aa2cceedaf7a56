using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Spectre.Console;

namespace Gimlet.Cli.Output;

/// <summary>One JSON object per line, written whole and at once: whoever reads the pipe sees an event when it happens.</summary>
/// <param name="output">Standard output, without a buffer of its own.</param>
internal sealed class JsonReporter(Stream output) : IReporter
{
    // Text goes to programs, not into HTML: an apostrophe may be one.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _gate = new();
    private readonly ArrayBufferWriter<byte> _line = new(512);

    /// <inheritdoc/>
    public void Report(CliEvent news)
    {
        lock (_gate)
        {
            Write(news);
            output.Write(_line.WrittenSpan);
            output.Flush();
        }
    }

    /// <inheritdoc/>
    public void Human(Action<IAnsiConsole> write)
    {
        // There is nobody to look at it.
    }

    /// <inheritdoc/>
    public IReporter Silent()
    {
        lock (_gate)
        {
            // Opens the path to the kernel without a byte on it.
            output.Write([]);
            output.Flush();
        }

        return new JsonReporter(Stream.Null);
    }

    /// <inheritdoc/>
    public void Dispose() => output.Dispose();

    private void Write(CliEvent news)
    {
        _line.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(_line, Writing))
        {
            JsonSerializer.Serialize(writer, news, news.GetType(), EventJson.Default);
        }

        _line.Write("\n"u8);
    }
}
