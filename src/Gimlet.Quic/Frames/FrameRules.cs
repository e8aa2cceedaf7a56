using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>What holds for a type of frame, wherever it appears.</summary>
[Flags]
internal enum FrameTraits : byte
{
    None = 0,

    /// <summary>May be in Initial packets.</summary>
    Initial = 1 << 0,

    /// <summary>May be in Handshake packets.</summary>
    Handshake = 1 << 1,

    /// <summary>May be in 0-RTT packets.</summary>
    ZeroRtt = 1 << 2,

    /// <summary>May be in 1-RTT packets.</summary>
    OneRtt = 1 << 3,

    /// <summary>The packet must be acknowledged (RFC 9000 section 13.2).</summary>
    AckEliciting = 1 << 4,

    /// <summary>A packet of nothing else probes a path and does not migrate to it (RFC 9000 section 9.1).</summary>
    Probing = 1 << 5,

    /// <summary>The packet counts as bytes in flight (RFC 9002 section 2).</summary>
    InFlight = 1 << 6,

    /// <summary>Only a server sends it.</summary>
    ServerOnly = 1 << 7,
}

/// <summary>RFC 9000 table 3, and RFC 9221 for DATAGRAM.</summary>
internal static class FrameRules
{
    private const FrameTraits Everywhere = FrameTraits.Initial | FrameTraits.Handshake | FrameTraits.ZeroRtt | FrameTraits.OneRtt;
    private const FrameTraits NotInZeroRtt = FrameTraits.Initial | FrameTraits.Handshake | FrameTraits.OneRtt;
    private const FrameTraits Data = FrameTraits.ZeroRtt | FrameTraits.OneRtt;
    private const FrameTraits Usual = FrameTraits.AckEliciting | FrameTraits.InFlight;

    private static readonly FrameTraits[] Table = MakeTable();

    /// <summary>The traits of a type; <see cref="FrameTraits.None"/> for a type that is not known.</summary>
    public static FrameTraits TraitsOf(FrameType type) => (ulong)type < (ulong)Table.Length ? Table[(int)type] : FrameTraits.None;

    public static bool IsKnown(FrameType type) => TraitsOf(type) != FrameTraits.None;

    /// <summary>Whether a frame may be in a packet.</summary>
    public static bool IsAllowed(FrameType type, PacketType packet) => (TraitsOf(type) & PlaceOf(packet)) != FrameTraits.None;

    public static bool IsAckEliciting(FrameType type) => (TraitsOf(type) & FrameTraits.AckEliciting) != FrameTraits.None;

    public static bool IsProbing(FrameType type) => (TraitsOf(type) & FrameTraits.Probing) != FrameTraits.None;

    public static bool IsInFlight(FrameType type) => (TraitsOf(type) & FrameTraits.InFlight) != FrameTraits.None;

    public static bool IsServerOnly(FrameType type) => (TraitsOf(type) & FrameTraits.ServerOnly) != FrameTraits.None;

    public static bool IsStream(FrameType type) => type is >= FrameType.Stream and <= FrameType.StreamLast;

    private static FrameTraits PlaceOf(PacketType packet) => packet switch
    {
        PacketType.Initial => FrameTraits.Initial,
        PacketType.Handshake => FrameTraits.Handshake,
        PacketType.ZeroRtt => FrameTraits.ZeroRtt,
        PacketType.OneRtt => FrameTraits.OneRtt,
        _ => FrameTraits.None,
    };

    private static FrameTraits[] MakeTable()
    {
        var table = new FrameTraits[(int)FrameType.DatagramWithLength + 1];

        // RFC 9000 table 3: rows IH01, with the marks N (not ack-eliciting), C (not in flight) and P (probing).
        table[(int)FrameType.Padding] = Everywhere | FrameTraits.InFlight | FrameTraits.Probing;
        table[(int)FrameType.Ping] = Everywhere | Usual;
        table[(int)FrameType.Ack] = NotInZeroRtt;
        table[(int)FrameType.AckEcn] = NotInZeroRtt;
        table[(int)FrameType.Crypto] = NotInZeroRtt | Usual;

        // "ih": "Only a CONNECTION_CLOSE frame of type 0x1c can appear in Initial or Handshake packets." RFC 9002 section 2 counts a packet
        // as in flight when it is ack-eliciting or has PADDING: CONNECTION_CLOSE is neither.
        table[(int)FrameType.ConnectionClose] = Everywhere;
        table[(int)FrameType.ApplicationClose] = Data;

        table[(int)FrameType.NewToken] = FrameTraits.OneRtt | Usual | FrameTraits.ServerOnly;
        table[(int)FrameType.HandshakeDone] = FrameTraits.OneRtt | Usual | FrameTraits.ServerOnly;
        table[(int)FrameType.PathResponse] = FrameTraits.OneRtt | Usual | FrameTraits.Probing;
        table[(int)FrameType.PathChallenge] = Data | Usual | FrameTraits.Probing;
        table[(int)FrameType.NewConnectionId] = Data | Usual | FrameTraits.Probing;

        FrameType[] data =
        [
            FrameType.ResetStream, FrameType.StopSending, FrameType.MaxData, FrameType.MaxStreamData, FrameType.MaxStreamsBidirectional,
            FrameType.MaxStreamsUnidirectional, FrameType.DataBlocked, FrameType.StreamDataBlocked, FrameType.StreamsBlockedBidirectional,
            FrameType.StreamsBlockedUnidirectional, FrameType.RetireConnectionId,

            // RFC 9221 section 5: "DATAGRAM frames ... can be sent in 0-RTT and 1-RTT packets"; section 5.2: they are ack-eliciting.
            FrameType.Datagram, FrameType.DatagramWithLength,
        ];
        foreach (FrameType type in data)
        {
            table[(int)type] = Data | Usual;
        }

        for (FrameType type = FrameType.Stream; type <= FrameType.StreamLast; type++)
        {
            table[(int)type] = Data | Usual;
        }

        return table;
    }
}
