using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Support;

/// <summary>Binary frames as a node writes and reads them.</summary>
internal static class Frames
{
    public static byte[] Single(PeerId peer, ReadOnlySpan<byte> datagram)
    {
        byte[] frame = new byte[RelayFrame.SingleHeaderLength + datagram.Length];
        _ = RelayFrame.WriteHeader(frame, peer, 0, isBatch: false);
        datagram.CopyTo(frame.AsSpan(RelayFrame.SingleHeaderLength));
        return frame;
    }

    /// <summary>A batch of datagrams of one size; <paramref name="tail"/> bytes more in a last one.</summary>
    public static byte[] Batch(PeerId peer, int segmentSize, int count, int tail = 0)
    {
        byte[] frame = new byte[RelayFrame.BatchHeaderLength + (segmentSize * count) + tail];
        _ = RelayFrame.WriteHeader(frame, peer, segmentSize, isBatch: true);
        for (int i = RelayFrame.BatchHeaderLength; i < frame.Length; i++)
        {
            frame[i] = (byte)(i * 31);
        }

        return frame;
    }

    public static (PeerId From, byte[][] Datagrams) Read(byte[] frame)
    {
        Assert.True(RelayFrame.TryRead(frame, out RelayFrame header), "the server sends frames that can be read");
        byte[][] datagrams = new byte[header.CountDatagrams(frame.Length)][];
        for (int i = 0; i < datagrams.Length; i++)
        {
            int at = header.HeaderLength + (i * header.SegmentSize);
            datagrams[i] = frame[at..Math.Min(at + header.SegmentSize, frame.Length)];
        }

        return (header.Peer, datagrams);
    }
}
