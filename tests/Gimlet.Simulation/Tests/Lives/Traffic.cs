using Gimlet.Quic.Connections;
using Gimlet.Quic.Streams;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>What one side of a couple does with a connection: sends its flows, and takes those of the other.</summary>
internal sealed class Traffic(Couple couple, int side, IReadOnlyList<Flow> flows) : ISimApplication
{
    private readonly Dictionary<QuicStreamState, Flow> _sending = [];
    private readonly Dictionary<QuicStreamState, Flow> _receiving = [];

    /// <summary>The connection that was handed out.</summary>
    public SimConnection? Connection { get; private set; }

    /// <summary>How many were.</summary>
    public int OpenedCount { get; private set; }

    public CloseReason? End { get; private set; }

    public void Opened(SimConnection connection)
    {
        OpenedCount++;
        Connection = connection;
        couple.World.Trace?.Write(couple.World.Now, connection.Node.Host.Name, $"# has a connection, {(connection.IsIncoming ? "incoming" : "dialled")}");
        foreach (Flow flow in flows)
        {
            if (flow.Sender == side)
            {
                Assert.True(connection.Quic.Core.Streams.TryOpen(StreamDirection.Unidirectional, out QuicStreamState? stream), "no stream could be opened");
                _sending.Add(stream, flow);
                flow.Start(connection, stream);
            }
        }
    }

    public void Take(SimConnection connection, in StreamEvent next)
    {
        if (next.Stream is not { } stream)
        {
            return;
        }

        switch (next.Kind)
        {
            case StreamEventKind.Readable:
                Read(stream);
                break;
            case StreamEventKind.Writable when _sending.TryGetValue(stream, out Flow? flow):
                flow.Write(connection, stream);
                break;
            case StreamEventKind.PeerReset or StreamEventKind.PeerStopped:
                Assert.Fail($"a stream was reset: {next.Kind}");
                break;
            case StreamEventKind.Closed:
                _ = _sending.Remove(stream);
                _ = _receiving.Remove(stream);
                break;
            default:
                break;
        }
    }

    public void Closed(SimConnection connection, CloseReason reason) => End = reason;

    private void Read(QuicStreamState stream)
    {
        if (!_receiving.TryGetValue(stream, out Flow? flow))
        {
            if (!Flow.TryReadNumber(stream, out int number))
            {
                return;
            }

            flow = flows[number];
            Assert.NotEqual(side, flow.Sender);
            Assert.Equal(0, flow.Read);
            _receiving.Add(stream, flow);
        }

        flow.Receive(stream, couple.World.Now);
    }
}
