using System.Runtime.InteropServices;

namespace Gimlet.Quic.Streams.Scheduling;

/// <summary>Which list a stream is in; one of each at most.</summary>
internal enum StreamListKind
{
    /// <summary>Has frames other than STREAM to send.</summary>
    Control = 0,

    /// <summary>Has lost data to send again, or only a FIN: no flow control holds it back.</summary>
    Urgent = 1,

    /// <summary>Has new data that its own limit permits; the connection's limit may hold it back.</summary>
    New = 2,

    /// <summary>Has events for the owner.</summary>
    Events = 3,
}

/// <summary>A stream's place in a list.</summary>
[StructLayout(LayoutKind.Auto)]
internal struct StreamLinks
{
    public QuicStreamState? Previous;
    public QuicStreamState? Next;
    public bool IsLinked;
}

/// <summary>
/// Streams one behind the other. The links are in the streams, so nothing is allocated and leaving the list costs the same everywhere in it.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal struct StreamList
{
    private readonly StreamListKind _kind;
    private QuicStreamState? _last;

    public StreamList(StreamListKind kind) => _kind = kind;

    /// <summary>The first stream, or null.</summary>
    public QuicStreamState? First { get; private set; }

    /// <summary>Puts a stream to the end, if it is not in the list.</summary>
    public void Add(QuicStreamState stream)
    {
        ref StreamLinks links = ref stream.Links(_kind);
        if (links.IsLinked)
        {
            return;
        }

        links.IsLinked = true;
        links.Previous = _last;
        if (_last is null)
        {
            First = stream;
        }
        else
        {
            _last.Links(_kind).Next = stream;
        }

        _last = stream;
    }

    /// <summary>Takes a stream out, if it is in the list.</summary>
    public void Remove(QuicStreamState stream)
    {
        ref StreamLinks links = ref stream.Links(_kind);
        if (!links.IsLinked)
        {
            return;
        }

        if (links.Previous is null)
        {
            First = links.Next;
        }
        else
        {
            links.Previous.Links(_kind).Next = links.Next;
        }

        if (links.Next is null)
        {
            _last = links.Previous;
        }
        else
        {
            links.Next.Links(_kind).Previous = links.Previous;
        }

        links = default;
    }

    /// <summary>Puts a stream in or takes it out.</summary>
    public void Set(QuicStreamState stream, bool isMember)
    {
        if (isMember)
        {
            Add(stream);
        }
        else
        {
            Remove(stream);
        }
    }

    /// <summary>Puts the first stream to the end.</summary>
    public void Rotate()
    {
        if (First is { } first && First != _last)
        {
            Remove(first);
            Add(first);
        }
    }

    /// <summary>Takes all streams out.</summary>
    public void Clear()
    {
        while (First is { } first)
        {
            Remove(first);
        }
    }
}
