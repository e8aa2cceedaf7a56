using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams.Support;

/// <summary>What a packet was, until it is acknowledged or lost.</summary>
/// <param name="From">Who sent it.</param>
/// <param name="Payload">Its frames.</param>
/// <param name="Sent">What was noted of them.</param>
internal sealed record StreamPacket(StreamEnd From, byte[] Payload, SentFrame[] Sent);

/// <summary>One side of a <see cref="StreamPair"/>.</summary>
internal sealed class StreamEnd
{
    private readonly byte[] _buffer = new byte[2000];
    private readonly SentFrameList _sent = new();

    public StreamEnd(EndpointRole role, StreamSetSettings settings)
    {
        Role = role;
        Settings = settings;
        Set = new StreamSet(role, settings);
    }

    public EndpointRole Role { get; }

    public StreamSetSettings Settings { get; }

    public StreamSet Set { get; }

    public TransportParameters Parameters => Settings.AddTo(new TransportParameters());

    public QuicStreamState Open(StreamDirection direction = StreamDirection.Bidirectional)
    {
        Assert.True(Set.TryOpen(direction, out QuicStreamState? stream));
        return stream;
    }

    /// <summary>All events that wait.</summary>
    public List<StreamEvent> Events()
    {
        var events = new List<StreamEvent>();
        while (Set.TryPollEvent(out StreamEvent next))
        {
            events.Add(next);
        }

        return events;
    }

    /// <summary>The kinds of the events that wait.</summary>
    public StreamEventKind[] Kinds() => [.. Events().Select(e => e.Kind)];

    /// <summary>Writes a packet, or null when there is nothing to send.</summary>
    public StreamPacket? Send(int size = 1200, bool mayFillPacket = true)
    {
        if (!Set.HasFramesToSend)
        {
            return null;
        }

        var writer = new WireWriter(_buffer.AsSpan(0, size));
        _sent.Clear();
        Set.WriteFrames(ref writer, _sent, mayFillPacket);
        Assert.True(_sent.Count > 0, "HasFramesToSend, and nothing was written");
        return new StreamPacket(this, writer.Written.ToArray(), _sent.Frames.ToArray());
    }

    /// <summary>Takes the frames of a packet.</summary>
    public QuicError Receive(StreamPacket packet)
    {
        var reader = new FrameReader(packet.Payload, PacketType.OneRtt, packet.From.Role);
        while (reader.MoveNext())
        {
            QuicError error = Handle(ref reader);
            if (error.IsError)
            {
                return error;
            }
        }

        return reader.Error;
    }

    public void Acknowledge(StreamPacket packet)
    {
        foreach (SentFrame frame in packet.Sent)
        {
            Set.OnAcknowledged(frame);
        }
    }

    public void Lose(StreamPacket packet)
    {
        foreach (SentFrame frame in packet.Sent)
        {
            Set.OnLost(frame);
        }
    }

    private QuicError Handle(ref FrameReader reader)
    {
        switch (reader.Type)
        {
            case FrameType.ResetStream:
                return ResetStreamFrame.TryRead(ref reader, out ResetStreamFrame reset) ? Set.Handle(reset) : reader.Error;
            case FrameType.StopSending:
                return StopSendingFrame.TryRead(ref reader, out StopSendingFrame stop) ? Set.Handle(stop) : reader.Error;
            case FrameType.MaxData:
                return MaxDataFrame.TryRead(ref reader, out MaxDataFrame maxData) ? Set.Handle(maxData) : reader.Error;
            case FrameType.MaxStreamData:
                return MaxStreamDataFrame.TryRead(ref reader, out MaxStreamDataFrame maxStreamData) ? Set.Handle(maxStreamData) : reader.Error;
            case FrameType.MaxStreamsBidirectional or FrameType.MaxStreamsUnidirectional:
                return MaxStreamsFrame.TryRead(ref reader, out MaxStreamsFrame maxStreams) ? Set.Handle(maxStreams) : reader.Error;
            case FrameType.DataBlocked:
                return DataBlockedFrame.TryRead(ref reader, out DataBlockedFrame blocked) ? Set.Handle(blocked) : reader.Error;
            case FrameType.StreamDataBlocked:
                return StreamDataBlockedFrame.TryRead(ref reader, out StreamDataBlockedFrame held) ? Set.Handle(held) : reader.Error;
            case FrameType.StreamsBlockedBidirectional or FrameType.StreamsBlockedUnidirectional:
                return StreamsBlockedFrame.TryRead(ref reader, out StreamsBlockedFrame streamsBlocked) ? Set.Handle(streamsBlocked) : reader.Error;
            default:
                return StreamFrame.TryRead(ref reader, out StreamFrame frame) ? Set.Handle(frame) : reader.Error;
        }
    }
}

/// <summary>Two sets that know each other's limits. Tests read as stories: <c>pair.Flush()</c>, <c>pair.Client.Lose(packet)</c>.</summary>
internal sealed class StreamPair
{
    public StreamPair(StreamSetSettings? client = null, StreamSetSettings? server = null)
    {
        Client = new StreamEnd(EndpointRole.Client, client ?? new StreamSetSettings());
        Server = new StreamEnd(EndpointRole.Server, server ?? client ?? new StreamSetSettings());
        Client.Set.SetPeerLimits(Server.Parameters);
        Server.Set.SetPeerLimits(Client.Parameters);
    }

    public StreamEnd Client { get; }

    public StreamEnd Server { get; }

    public StreamEnd Other(StreamEnd end) => end == Client ? Server : Client;

    /// <summary>Delivers a packet and acknowledges it.</summary>
    public void Deliver(StreamPacket packet)
    {
        Assert.Equal(QuicError.None, Other(packet.From).Receive(packet));
        packet.From.Acknowledge(packet);
    }

    /// <summary>Both sides send until neither has anything to send.</summary>
    public void Flush()
    {
        while (Client.Set.HasFramesToSend || Server.Set.HasFramesToSend)
        {
            Flush(Client);
            Flush(Server);
        }
    }

    /// <summary>One side sends what it has.</summary>
    public void Flush(StreamEnd end)
    {
        while (end.Send() is { } packet)
        {
            Deliver(packet);
        }
    }

    /// <summary>The other side's view of a stream.</summary>
    public QuicStreamState Twin(QuicStreamState stream)
    {
        StreamEnd other = stream.IsLocal == (new StreamId(stream.Id).Initiator == EndpointRole.Client) ? Server : Client;
        Assert.True(other.Set.TryFind(stream.Id, out QuicStreamState? twin));
        return twin;
    }
}
