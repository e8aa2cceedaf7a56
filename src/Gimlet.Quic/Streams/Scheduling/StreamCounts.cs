using System.Runtime.InteropServices;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Streams.Scheduling;

/// <summary>Streams of one direction that we open (RFC 9000 section 4.6).</summary>
[StructLayout(LayoutKind.Auto)]
internal struct LocalStreams
{
    public LocalStreams()
    {
    }

    /// <summary>How many were opened, ever.</summary>
    public long Opened { get; set; }

    /// <summary>How many the peer permits, ever.</summary>
    public long Limit { get; set; }

    /// <summary>The limit that STREAMS_BLOCKED told of; -1 for none.</summary>
    public long BlockedAt { get; set; } = -1;

    /// <summary>Whether one was wanted in vain.</summary>
    public bool IsWanted { get; set; }
}

/// <summary>Streams of one direction that the peer opens (RFC 9000 section 4.6).</summary>
[StructLayout(LayoutKind.Auto)]
internal struct PeerStreams
{
    /// <summary>A share of the streams that is worth a MAX_STREAMS frame.</summary>
    private const int UpdateShare = 8;

    private readonly int _maximum;
    private long _closed;

    /// <summary>Begins with what the transport parameters announced.</summary>
    /// <param name="maximum">How many may be open at once.</param>
    public PeerStreams(int maximum)
    {
        _maximum = maximum;
        Limit = maximum;
    }

    /// <summary>How many were opened, ever.</summary>
    public long Opened { get; set; }

    /// <summary>How many we permit, ever: what was told last.</summary>
    public long Limit { get; private set; }

    /// <summary>Whether a new limit would be larger than the last one.</summary>
    public readonly bool CanMove => Next > Limit;

    /// <summary>Whether an eighth of the streams is free again, or the peer has no more than an eighth left and some are free.</summary>
    public readonly bool IsUpdateDue =>
        CanMove && (Next - Limit >= _maximum / UpdateShare || Limit - Opened <= _maximum / UpdateShare);

    private readonly long Next => Math.Min(_closed + _maximum, TransportParameters.MaxStreams);

    /// <summary>One of them is over.</summary>
    public void OnClosed() => _closed++;

    /// <summary>Moves the limit to what it can be now.</summary>
    /// <returns>The limit to tell.</returns>
    public long Update() => Limit = Next;
}
