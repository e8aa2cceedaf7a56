using Gimlet.Quic.Streams;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

public sealed class StreamIdTests
{
    // RFC 9000 table 1.
    [Theory]
    [InlineData(0, EndpointRole.Client, StreamDirection.Bidirectional, 0)]
    [InlineData(1, EndpointRole.Server, StreamDirection.Bidirectional, 0)]
    [InlineData(2, EndpointRole.Client, StreamDirection.Unidirectional, 0)]
    [InlineData(3, EndpointRole.Server, StreamDirection.Unidirectional, 0)]
    [InlineData(4, EndpointRole.Client, StreamDirection.Bidirectional, 1)]
    [InlineData(VariableLengthInteger.MaxValue, EndpointRole.Server, StreamDirection.Unidirectional, (1L << 60) - 1)]
    internal void An_id_says_who_opened_the_stream_and_who_sends(long value, EndpointRole initiator, StreamDirection direction, long index)
    {
        var id = new StreamId(value);
        Assert.Equal((initiator, direction, index), (id.Initiator, id.Direction, id.Index));
        Assert.Equal(id, StreamId.Create(initiator, direction, index));
    }
}
