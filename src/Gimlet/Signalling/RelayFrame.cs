using System.Buffers.Binary;

namespace Gimlet.Signalling;

/// <summary>
/// A binary frame of the signalling WebSocket: relayed datagrams (docs/protocol.md section 6). The peer is the destination on the way to the server
/// and the proven sender on the way from it, always at the same place, so that a server exchanges it and passes on the rest as it is.
/// </summary>
internal readonly ref struct RelayFrame
{
    /// <summary>The largest frame, header included: what a segment size of 16 bits and a buffer of 64 KiB bear.</summary>
    public const int MaxLength = 65_536;

    /// <summary>The header of a frame with one datagram.</summary>
    public const int SingleHeaderLength = 1 + PeerId.Size;

    /// <summary>The header of a batch.</summary>
    public const int BatchHeaderLength = SingleHeaderLength + sizeof(ushort);

    private const byte Single = 0;
    private const byte Batch = 1;
    private const int PeerOffset = 1;

    private RelayFrame(PeerId peer, int segmentSize, int headerLength)
    {
        Peer = peer;
        SegmentSize = segmentSize;
        HeaderLength = headerLength;
    }

    /// <summary>The destination or the sender.</summary>
    public PeerId Peer { get; }

    /// <summary>The length of each datagram but the last.</summary>
    public int SegmentSize { get; }

    /// <summary>Where the datagrams begin.</summary>
    public int HeaderLength { get; }

    /// <summary>How many datagrams there are.</summary>
    /// <param name="frameLength">The length of the whole frame.</param>
    public int CountDatagrams(int frameLength) => (frameLength - HeaderLength + SegmentSize - 1) / SegmentSize;

    /// <summary>Reads a header; false for anything that is no relayed datagram.</summary>
    /// <param name="frame">The whole frame.</param>
    /// <param name="header">What it says.</param>
    public static bool TryRead(ReadOnlySpan<byte> frame, out RelayFrame header)
    {
        header = default;
        if (frame.Length <= SingleHeaderLength || frame.Length > MaxLength)
        {
            return false;
        }

        var peer = new PeerId(frame.Slice(PeerOffset, PeerId.Size));
        switch (frame[0])
        {
            case Single:
                header = new RelayFrame(peer, frame.Length - SingleHeaderLength, SingleHeaderLength);
                return true;
            case Batch when frame.Length > BatchHeaderLength:
                int segmentSize = BinaryPrimitives.ReadUInt16BigEndian(frame[SingleHeaderLength..]);
                header = new RelayFrame(peer, segmentSize, BatchHeaderLength);
                return segmentSize > 0;
            default:
                return false;
        }
    }

    /// <summary>Exchanges the peer of a frame.</summary>
    /// <param name="frame">A frame that was read.</param>
    /// <param name="peer">The sender, in the place of the destination.</param>
    public static void WritePeer(Span<byte> frame, PeerId peer) => peer.CopyTo(frame.Slice(PeerOffset, PeerId.Size));

    /// <summary>Writes a header in front of datagrams.</summary>
    /// <param name="frame">Room for it: <see cref="SingleHeaderLength"/> or <see cref="BatchHeaderLength"/> bytes.</param>
    /// <param name="peer">The destination.</param>
    /// <param name="segmentSize">The length of each datagram but the last; not looked at where there is one.</param>
    /// <param name="isBatch">Whether there are several datagrams.</param>
    /// <returns>The length of the header.</returns>
    public static int WriteHeader(Span<byte> frame, PeerId peer, int segmentSize, bool isBatch)
    {
        frame[0] = isBatch ? Batch : Single;
        WritePeer(frame, peer);
        if (!isBatch)
        {
            return SingleHeaderLength;
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame[SingleHeaderLength..], (ushort)segmentSize);
        return BatchHeaderLength;
    }
}
