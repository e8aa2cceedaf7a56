using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Paths.Support;

/// <summary>Lets the owners of frames write, and reads what they wrote.</summary>
internal static class FrameSink
{
    public delegate bool Write(ref WireWriter writer, SentFrameList sent);

    public static List<NewConnectionIdFrame> Issued(Write write, int room = 1000)
    {
        var frames = new List<NewConnectionIdFrame>();
        byte[] payload = Fill(write, room, out SentFrameList sent);
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Server);
        while (payload.Length > 0 && reader.MoveNext())
        {
            Assert.True(NewConnectionIdFrame.TryRead(ref reader, out NewConnectionIdFrame frame));
            Assert.Equal(new SentFrame(FrameType.NewConnectionId, Offset: frame.SequenceNumber), sent.Frames[frames.Count]);
            frames.Add(frame);
        }

        Assert.Equal(sent.Count, frames.Count);
        return frames;
    }

    public static List<long> Retired(Write write, int room = 1000)
    {
        var numbers = new List<long>();
        byte[] payload = Fill(write, room, out SentFrameList sent);
        var reader = new FrameReader(payload, PacketType.OneRtt, EndpointRole.Server);
        while (payload.Length > 0 && reader.MoveNext())
        {
            Assert.True(RetireConnectionIdFrame.TryRead(ref reader, out RetireConnectionIdFrame frame));
            Assert.Equal(new SentFrame(FrameType.RetireConnectionId, Offset: frame.SequenceNumber), sent.Frames[numbers.Count]);
            numbers.Add(frame.SequenceNumber);
        }

        Assert.Equal(sent.Count, numbers.Count);
        return numbers;
    }

    private static byte[] Fill(Write write, int room, out SentFrameList sent)
    {
        sent = new SentFrameList();
        byte[] buffer = new byte[room];
        var writer = new WireWriter(buffer);
        while (write(ref writer, sent))
        {
        }

        return [.. writer.Written];
    }
}
