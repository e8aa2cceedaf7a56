using System.Buffers;
using System.Text.Json;

namespace Gimlet.Quic.Trace;

/// <summary>
/// JSON text sequences (RFC 7464): a record separator, a JSON text, a line feed; one write to the stream for each. A stream that fails, or a
/// trace that has grown to its limit, ends the trace and never the connection.
/// </summary>
internal sealed class QlogWriter : IDisposable
{
    // RFC 7464 section 2.2: "JSON-sequence = *(RS JSON-text LF)", RS is 0x1e.
    private const byte RecordSeparator = 0x1e;
    private const byte LineFeed = 0x0a;

    // Names and values are our own or escaped by the writer: they need no second look.
    private static readonly JsonWriterOptions Options = new() { SkipValidation = true };

    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private long _left;

    /// <summary>Begins.</summary>
    /// <param name="stream">Where the records go; owned.</param>
    /// <param name="maxBytes">How much is written.</param>
    public QlogWriter(Stream stream, long maxBytes)
    {
        _stream = stream;
        _left = maxBytes;
        Json = new Utf8JsonWriter(_buffer, Options);
    }

    /// <summary>What writes the record that was begun.</summary>
    public Utf8JsonWriter Json { get; }

    /// <summary>Whether nothing is written any more.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Begins a record, which is an object.</summary>
    public void Begin()
    {
        _buffer.ResetWrittenCount();
        _buffer.GetSpan(1)[0] = RecordSeparator;
        _buffer.Advance(1);
        Json.Reset();
        Json.WriteStartObject();
    }

    /// <summary>Ends the record and writes it.</summary>
    public void End()
    {
        Json.WriteEndObject();
        Json.Flush();
        _buffer.GetSpan(1)[0] = LineFeed;
        _buffer.Advance(1);
        if (_buffer.WrittenCount > _left)
        {
            HasEnded = true;
            return;
        }

        _left -= _buffer.WrittenCount;
        try
        {
            _stream.Write(_buffer.WrittenSpan);
        }
        catch (IOException)
        {
            // The disk is full, or gone: a trace that ends is the lesser evil.
            HasEnded = true;
        }
    }

    /// <summary>Makes what was written visible to others.</summary>
    public void Flush()
    {
        try
        {
            _stream.Flush();
        }
        catch (IOException)
        {
            HasEnded = true;
        }
    }

    public void Dispose()
    {
        HasEnded = true;
        Json.Dispose();
        try
        {
            _stream.Dispose();
        }
        catch (IOException)
        {
            // As in End: what the stream still held is lost with it.
            return;
        }
    }
}
