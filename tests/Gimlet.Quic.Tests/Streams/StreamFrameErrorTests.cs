using Gimlet.Quic.Frames;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

/// <summary>The MUSTs of RFC 9000 sections 4.6 and 19.4 to 19.13 about streams that a frame must not name. We are the server.</summary>
public sealed class StreamFrameErrorTests
{
    private const long PeerBidirectional = 0;
    private const long OwnBidirectional = 1;
    private const long PeerUnidirectional = 2;
    private const long OwnUnidirectional = 3;
    private const TransportErrorCode None = TransportErrorCode.NoError;
    private const TransportErrorCode State = TransportErrorCode.StreamStateError;
    private const TransportErrorCode Limit = TransportErrorCode.StreamLimitError;

    // Columns: a peer's bidirectional stream, ours that is not open, a peer's unidirectional one, ours, and the first two of the peer beyond its
    // limit.
    [Theory]
    [InlineData(FrameType.Stream, None, State, None, State, Limit, Limit)]
    [InlineData(FrameType.ResetStream, None, State, None, State, Limit, Limit)]
    [InlineData(FrameType.StreamDataBlocked, None, State, None, State, Limit, Limit)]
    [InlineData(FrameType.StopSending, None, State, State, State, Limit, State)]
    [InlineData(FrameType.MaxStreamData, None, State, State, State, Limit, State)]
    internal void A_frame_for_a_stream_that_is_not_open(
        FrameType type,
        TransportErrorCode peerBidirectional,
        TransportErrorCode ownBidirectional,
        TransportErrorCode peerUnidirectional,
        TransportErrorCode ownUnidirectional,
        TransportErrorCode beyondBidirectional,
        TransportErrorCode beyondUnidirectional)
    {
        var settings = new StreamSetSettings { MaxBidirectionalStreams = 5, MaxUnidirectionalStreams = 7 };
        AssertCode(peerBidirectional, PeerBidirectional);
        AssertCode(peerBidirectional, PeerBidirectional + (4 * 4));
        AssertCode(ownBidirectional, OwnBidirectional);
        AssertCode(peerUnidirectional, PeerUnidirectional + (6 * 4));
        AssertCode(ownUnidirectional, OwnUnidirectional);
        AssertCode(beyondBidirectional, PeerBidirectional + (5 * 4));
        AssertCode(beyondUnidirectional, PeerUnidirectional + (7 * 4));

        void AssertCode(TransportErrorCode code, long id)
        {
            QuicError error = Handle(new StreamPair(settings).Server.Set, type, id);
            Assert.Equal(code, error.Code);
            Assert.Equal(code == None ? FrameType.Padding : type, error.FrameType);
        }
    }

    [Theory]
    [InlineData(FrameType.Stream, State)]
    [InlineData(FrameType.ResetStream, State)]
    [InlineData(FrameType.StreamDataBlocked, State)]
    [InlineData(FrameType.StopSending, None)]
    [InlineData(FrameType.MaxStreamData, None)]
    internal void A_frame_for_a_unidirectional_stream_of_ours_that_is_open(FrameType type, TransportErrorCode code)
    {
        var pair = new StreamPair();
        QuicStreamState stream = pair.Server.Open(StreamDirection.Unidirectional);
        Assert.Equal(OwnUnidirectional, stream.Id);
        Assert.Equal(code, Handle(pair.Server.Set, type, stream.Id).Code);
    }

    [Theory]
    [InlineData(FrameType.Stream)]
    [InlineData(FrameType.ResetStream)]
    [InlineData(FrameType.StreamDataBlocked)]
    [InlineData(FrameType.StopSending)]
    [InlineData(FrameType.MaxStreamData)]
    internal void A_late_frame_for_a_stream_that_is_over_is_ignored(FrameType type)
    {
        var pair = new StreamPair();
        foreach (StreamEnd opener in new[] { pair.Client, pair.Server })
        {
            QuicStreamState stream = opener.Open();
            stream.Finish();
            pair.Flush();
            QuicStreamState twin = pair.Twin(stream);
            twin.Finish();
            pair.Flush();
            _ = pair.Client.Events();
            _ = pair.Server.Events();
            Assert.Equal(0, pair.Server.Set.OpenCount);
            Assert.Equal(QuicError.None, Handle(pair.Server.Set, type, stream.Id));
            Assert.Equal(0, pair.Server.Set.OpenCount);
            Assert.Empty(pair.Server.Events());
        }
    }

    [Fact]
    public void A_stream_opens_all_lower_ones_of_its_type()
    {
        StreamEnd server = new StreamPair().Server;
        Assert.False(server.Set.Handle(new MaxStreamDataFrame(8, 1)).IsError);
        Assert.Equal([0L, 4L, 8L], server.Events().Where(e => e.Kind == StreamEventKind.Opened).Select(e => e.Stream!.Id));
        Assert.False(server.Set.Handle(new StreamFrame(6, 0, "x"u8, isFinal: false)).IsError);
        Assert.Equal([2L, 6L], server.Events().Where(e => e.Kind == StreamEventKind.Opened).Select(e => e.Stream!.Id));
        Assert.Equal(5, server.Set.OpenCount);
    }

    private static QuicError Handle(StreamSet set, FrameType type, long id) => type switch
    {
        FrameType.Stream => set.Handle(new StreamFrame(id, 0, "x"u8, isFinal: false)),
        FrameType.ResetStream => set.Handle(new ResetStreamFrame(id, 1, 1)),
        FrameType.StreamDataBlocked => set.Handle(new StreamDataBlockedFrame(id, 1)),
        FrameType.StopSending => set.Handle(new StopSendingFrame(id, 1)),
        _ => set.Handle(new MaxStreamDataFrame(id, 1)),
    };
}
