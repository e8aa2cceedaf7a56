using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>Reads the body of whatever frame a reader stands at, and forgets it.</summary>
internal static class FrameSkipper
{
    public static bool TrySkip(ref FrameReader reader) => reader.Type switch
    {
        FrameType.Padding or FrameType.Ping or FrameType.HandshakeDone => true,
        FrameType.Ack or FrameType.AckEcn => AckFrame.TryRead(ref reader, out _),
        FrameType.ResetStream => ResetStreamFrame.TryRead(ref reader, out _),
        FrameType.StopSending => StopSendingFrame.TryRead(ref reader, out _),
        FrameType.Crypto => CryptoFrame.TryRead(ref reader, out _),
        FrameType.NewToken => NewTokenFrame.TryRead(ref reader, out _),
        FrameType.MaxData => MaxDataFrame.TryRead(ref reader, out _),
        FrameType.MaxStreamData => MaxStreamDataFrame.TryRead(ref reader, out _),
        FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional => MaxStreamsFrame.TryRead(ref reader, out _),
        FrameType.DataBlocked => DataBlockedFrame.TryRead(ref reader, out _),
        FrameType.StreamDataBlocked => StreamDataBlockedFrame.TryRead(ref reader, out _),
        FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional => StreamsBlockedFrame.TryRead(ref reader, out _),
        FrameType.NewConnectionId => NewConnectionIdFrame.TryRead(ref reader, out _),
        FrameType.RetireConnectionId => RetireConnectionIdFrame.TryRead(ref reader, out _),
        FrameType.PathChallenge => PathChallengeFrame.TryRead(ref reader, out _),
        FrameType.PathResponse => PathResponseFrame.TryRead(ref reader, out _),
        FrameType.ConnectionClose or FrameType.ApplicationClose => ConnectionCloseFrame.TryRead(ref reader, out _),
        FrameType.Datagram or FrameType.DatagramWithLength => DatagramFrame.TryRead(ref reader, out _),
        _ => StreamFrame.TryRead(ref reader, out _),
    };
}
