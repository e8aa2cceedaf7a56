using System.Buffers.Binary;
using Gimlet.Quic.Connections;
using Gimlet.Quic.Streams;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>
/// The application of one side. Acts on events only, as real ones do: a wake-up that the connection forgets makes its story stand still.
/// </summary>
internal sealed class Talker(
    Pair pair, SimulatedPeer peer, Random random, TrafficPlan plan, Dictionary<(long Stream, EndpointRole Sender), Flow> flows)
{
    private const int DatagramHead = sizeof(int);
    private readonly byte[] _buffer = new byte[plan.Chunk + 2000];
    private readonly Dictionary<long, Sending> _sending = [];
    private readonly HashSet<long> _reading = [];
    private readonly HashSet<int> _seenDatagrams = [];
    private int _opened;
    private int _datagramsSent;
    private int _eventsSeen;
    private bool _isStarted;
    private bool _isPaused;

    private EndpointRole Other => peer.Role == EndpointRole.Client ? EndpointRole.Server : EndpointRole.Client;

    public bool HasOpenedAll => _opened == plan.Streams && _datagramsSent == plan.Datagrams;

    public int OpenStreams => peer.Connection?.Streams.OpenCount ?? 0;

    public int DatagramsReceived => _seenDatagrams.Count;

    /// <summary>Called after every input of the connection.</summary>
    public void Work(SimulatedPeer me, TimeSpan now)
    {
        for (; _eventsSeen < peer.Events.Count; _eventsSeen++)
        {
            Take(peer.Events[_eventsSeen].Kind);
        }

        if (!_isStarted && peer.IsConnected)
        {
            _isStarted = true;
            Open();
            SendDatagrams();
        }

        while (peer.Core.Streams.TryPollEvent(out StreamEvent next))
        {
            Take(next);
        }
    }

    public void Pause(bool isPaused)
    {
        _isPaused = isPaused;
        if (!isPaused)
        {
            foreach (long id in _reading.ToArray())
            {
                if (peer.Core.Streams.TryFind(id, out QuicStreamState? stream))
                {
                    Read(stream);
                }
            }
        }
    }

    private void Take(ConnectionEventKind kind)
    {
        if (kind == ConnectionEventKind.DatagramReceived)
        {
            ReceiveDatagrams();
        }
        else if (kind == ConnectionEventKind.DatagramsWritable)
        {
            SendDatagrams();
        }
    }

    private void Take(in StreamEvent next)
    {
        switch (next.Kind)
        {
            case StreamEventKind.StreamsAvailable:
                Open();
                break;
            case StreamEventKind.Opened:
                Accept(next.Stream!);
                break;
            case StreamEventKind.Readable:
                ReadSoon(next.Stream!);
                break;
            case StreamEventKind.Writable:
                Write(next.Stream!);
                break;
            case StreamEventKind.PeerReset:
                TakeReset(next.Stream!);
                break;
            case StreamEventKind.PeerStopped:
                TakeStop(next.Stream!);
                break;
            default:
                break;
        }
    }

    private void Open()
    {
        while (_opened < plan.Streams)
        {
            StreamDirection direction = plan.IsExact || _opened % 2 == 0 ? StreamDirection.Bidirectional : StreamDirection.Unidirectional;
            if (!peer.Core.Streams.TryOpen(direction, out QuicStreamState? stream))
            {
                return;
            }

            _opened++;
            BeginSending(stream, plan.IsExact ? plan.Bytes : random.Next(plan.Bytes + 1));
            if (direction == StreamDirection.Bidirectional)
            {
                BeginReading(stream);
            }
        }
    }

    private void Accept(QuicStreamState stream)
    {
        BeginReading(stream);
        if (stream.CanWrite)
        {
            BeginSending(stream, plan.Answers ? random.Next(plan.Bytes + 1) : 0);
        }
    }

    private Flow FlowOf(long stream, EndpointRole sender)
    {
        if (!flows.TryGetValue((stream, sender), out Flow? flow))
        {
            flow = new Flow((stream * 2) + (int)sender);
            flows.Add((stream, sender), flow);
        }

        return flow;
    }

    private void BeginSending(QuicStreamState stream, int bytes)
    {
        int? resetAt = random.NextDouble() < plan.Resets ? random.Next(bytes + 1) : null;
        _sending.Add(stream.Id, new Sending(FlowOf(stream.Id, peer.Role), bytes, resetAt));
        Write(stream);
    }

    private void Write(QuicStreamState stream)
    {
        if (!_sending.TryGetValue(stream.Id, out Sending? sending))
        {
            return;
        }

        Flow flow = sending.Flow;
        long end = sending.ResetAt ?? sending.Bytes;
        while (flow.Written < end)
        {
            Span<byte> chunk = _buffer.AsSpan(0, (int)Math.Min(random.Next(1, plan.Chunk + 1), end - flow.Written));
            Pattern.Fill(chunk, flow.Key, flow.Written);
            int taken = stream.Write(chunk);
            flow.Written += taken;
            if (taken < chunk.Length)
            {
                return;
            }
        }

        _sending.Remove(stream.Id);
        if (sending.ResetAt is null)
        {
            flow.IsFinished = true;
            stream.Finish();
        }
        else
        {
            flow.ResetCode = 1000 + stream.Id;
            stream.Reset(flow.ResetCode.Value);
        }
    }

    private void BeginReading(QuicStreamState stream)
    {
        _reading.Add(stream.Id);
        Flow flow = FlowOf(stream.Id, Other);
        if (random.NextDouble() < plan.Stops)
        {
            pair.Network.At(pair.Now + TimeSpan.FromMilliseconds(random.Next(200)), () => Stop(stream, flow));
        }
    }

    private void Stop(QuicStreamState stream, Flow flow)
    {
        if (!flow.IsOver && peer.Core.Closed is null)
        {
            flow.StopCode = 2000 + stream.Id;
            flow.IsOver = true;
            _reading.Remove(stream.Id);
            stream.StopSending(flow.StopCode.Value);
        }
    }

    private void ReadSoon(QuicStreamState stream)
    {
        if (random.NextDouble() < plan.Laziness)
        {
            pair.Network.At(pair.Now + TimeSpan.FromMilliseconds(random.Next(100)), () => Read(stream));
        }
        else
        {
            Read(stream);
        }
    }

    private void Read(QuicStreamState stream)
    {
        Flow flow = FlowOf(stream.Id, Other);
        if (_isPaused || flow.IsOver)
        {
            return;
        }

        int read;
        do
        {
            Span<byte> chunk = _buffer.AsSpan(0, random.Next(1, plan.Chunk + 1));
            read = stream.Read(chunk);
            int difference = Pattern.FindDifference(chunk[..read], flow.Key, flow.Read);
            Require(difference < 0, stream, $"a byte at {flow.Read + difference} is wrong");
            flow.Read += read;
        }
        while (read > 0);
        Require(flow.Read <= flow.Written, stream, $"{flow.Read} bytes were read, {flow.Written} were written");
        if (stream.IsReadEnd)
        {
            Require(flow.IsFinished && flow.Read == flow.Written, stream, $"ended, but {flow}");
            flow.IsOver = true;
            _reading.Remove(stream.Id);
        }
    }

    private void TakeReset(QuicStreamState stream)
    {
        Flow flow = FlowOf(stream.Id, Other);
        Require(stream.PeerResetCode is not null, stream, "PeerReset without a code");

        // The sender's own code, or the one of our STOP_SENDING.
        Require(
            stream.PeerResetCode == flow.ResetCode || (flow.StopCode is not null && stream.PeerResetCode == flow.StopCode),
            stream,
            $"reset with {stream.PeerResetCode}, but {flow}");
        flow.IsOver = true;
        _reading.Remove(stream.Id);
    }

    private void TakeStop(QuicStreamState stream)
    {
        Flow flow = FlowOf(stream.Id, peer.Role);
        Require(stream.PeerStopCode == flow.StopCode && flow.StopCode is not null, stream, $"stopped with {stream.PeerStopCode}, but {flow}");
        _sending.Remove(stream.Id);
    }

    private void SendDatagrams()
    {
        while (_datagramsSent < plan.Datagrams)
        {
            Span<byte> datagram = _buffer.AsSpan(0, random.Next(DatagramHead, peer.Core.MaxDatagramLength + 1));
            BinaryPrimitives.WriteInt32LittleEndian(datagram, _datagramsSent);
            Pattern.Fill(datagram[DatagramHead..], -1 - _datagramsSent, (int)peer.Role);
            if (!peer.Core.TrySendDatagram(datagram))
            {
                return;
            }

            _datagramsSent++;
        }
    }

    private void ReceiveDatagrams()
    {
        while (peer.Core.TryReceiveDatagram(_buffer, out int length))
        {
            ReadOnlySpan<byte> datagram = _buffer.AsSpan(0, length);
            int number = BinaryPrimitives.ReadInt32LittleEndian(datagram);
            if (Pattern.FindDifference(datagram[DatagramHead..], -1 - number, (int)Other) >= 0 || !_seenDatagrams.Add(number))
            {
                throw new SimulationException($"{peer.Role}: datagram {number} is wrong, or came twice");
            }
        }
    }

    private void Require(bool condition, QuicStreamState stream, string what)
    {
        if (!condition)
        {
            throw new SimulationException($"{peer.Role}, stream {stream.Id}: {what}\n{pair.Describe()}");
        }
    }

    /// <summary>What is still to be written on a part.</summary>
    private sealed record Sending(Flow Flow, int Bytes, int? ResetAt);
}
