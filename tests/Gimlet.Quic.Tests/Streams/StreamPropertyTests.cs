using Gimlet.Quic.Streams;
using Gimlet.Quic.Tests.Streams.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Streams;

/// <summary>Two sets and a network that loses, reorders and repeats, against the plain byte sequence of each stream.</summary>
public sealed class StreamPropertyTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(0, 60)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_the_network_does_each_stream_is_its_byte_sequence(int seed)
    {
        var world = new RandomWorld(seed);
        for (int step = 0; step < 3000; step++)
        {
            world.Step();
        }

        world.Finish();
    }

    /// <summary>The figures of a run are small, so that every limit is met many times.</summary>
    private sealed class RandomWorld
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly StreamPair _pair;
        private readonly List<StreamPacket> _underWay = [];
        private readonly List<StreamPacket> _lost = [];
        private readonly Dictionary<(StreamEnd End, long Id), Sequence> _sequences = [];
        private readonly byte[] _room = new byte[5000];
        private TimeSpan _now;
        private int _closed;

        public RandomWorld(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            _pair = new StreamPair(Settings(), Settings());
        }

        private StreamEnd[] Ends => [_pair.Client, _pair.Server];

        public void Step()
        {
            StreamEnd end = Ends[_random.Next(2)];
            _now += TimeSpan.FromMilliseconds(_random.Next(4));
            end.Set.UpdateRtt(_now, TimeSpan.FromMilliseconds(20));
            switch (_random.Next(16))
            {
                case 0:
                    Open(end);
                    break;
                case < 5:
                    Use(end);
                    break;
                case < 10:
                    Send(end);
                    break;
                case < 13:
                    Arrive();
                    break;
                case 13:
                    Lose();
                    break;
                case 14 when _underWay.Count > 0:
                    // The network repeats a packet.
                    Receive(_underWay[_random.Next(_underWay.Count)]);
                    break;
                default:
                    Late();
                    break;
            }

            TakeEvents();
        }

        /// <summary>All streams are ended and read; then nothing may be left.</summary>
        public void Finish()
        {
            for (int round = 0; _sequences.Count > 0; round++)
            {
                Assert.True(round < 20_000, $"seed {_seed}: {_sequences.Count} streams do not end");
                foreach ((StreamEnd end, long id) in _sequences.Keys.ToArray())
                {
                    if (_sequences.TryGetValue((end, id), out Sequence? sequence))
                    {
                        if (sequence.Stream.CanWrite)
                        {
                            sequence.Stream.Finish();
                        }

                        Read(end, sequence);
                    }
                }

                foreach (StreamEnd end in Ends)
                {
                    Send(end);
                }

                Arrive();
                if (_random.Next(5) == 0)
                {
                    Lose();
                }

                TakeEvents();
            }

            while (_underWay.Count > 0 || _pair.Client.Set.HasFramesToSend || _pair.Server.Set.HasFramesToSend)
            {
                Send(_pair.Client);
                Send(_pair.Server);
                Arrive();
                TakeEvents();
            }

            Assert.Equal((0, 0), (_pair.Client.Set.OpenCount, _pair.Server.Set.OpenCount));
            Assert.True(_closed > 0);
            foreach (StreamEnd end in Ends)
            {
                // Both sides agree on every byte, and the window got all of them back: resets and all.
                Assert.Equal(_pair.Other(end).Set.Sent, end.Set.Received);
                Assert.Equal(end.Set.Received, end.Set.Consumed);
            }
        }

        private StreamSetSettings Settings() => new()
        {
            StreamWindow = _random.Next(1, 20_000),
            ConnectionWindow = _random.Next(1, 30_000),
            SendBufferBytes = _random.Next(1, 30_000),
            MaxBidirectionalStreams = _random.Next(1, 20),
            MaxUnidirectionalStreams = _random.Next(1, 20),
        };

        private void Open(StreamEnd end)
        {
            if (end.Set.TryOpen((StreamDirection)_random.Next(2), out QuicStreamState? stream))
            {
                _sequences.Add((end, stream.Id), new Sequence(stream));
            }
        }

        private void Use(StreamEnd end)
        {
            Sequence[] mine = [.. _sequences.Where(s => s.Key.End == end).Select(s => s.Value)];
            if (mine.Length == 0)
            {
                return;
            }

            Sequence sequence = mine[_random.Next(mine.Length)];
            QuicStreamState stream = sequence.Stream;
            switch (_random.Next(40))
            {
                case 0 when stream.CanWrite:
                    stream.Finish();
                    break;
                case 1 when stream.CanWrite && _random.Next(3) == 0:
                    stream.Reset(_random.Next());
                    break;
                case 2 when stream.CanRead && _random.Next(3) == 0:
                    stream.StopSending(_random.Next());
                    break;
                case < 22:
                    Write(end, sequence);
                    break;
                default:
                    Read(end, sequence);
                    break;
            }
        }

        private void Write(StreamEnd end, Sequence sequence)
        {
            if (!sequence.Stream.CanWrite || sequence.Stream.IsFinished)
            {
                return;
            }

            int room = sequence.Stream.WriteRoom;
            byte[] data = Pattern.Bytes(Key(end, sequence.Stream), sequence.Written, _random.Next(1, 3000));
            int taken = sequence.Stream.Write(data);
            Assert.Equal(Math.Min(room, data.Length), taken);
            sequence.Written += taken;
        }

        private void Read(StreamEnd end, Sequence sequence)
        {
            QuicStreamState stream = sequence.Stream;
            if (!stream.CanRead)
            {
                return;
            }

            long key = Key(_pair.Other(end), stream);
            if (_random.Next(2) == 0)
            {
                int count = stream.Read(_room.AsSpan(0, _random.Next(_room.Length)));
                Pattern.AssertAt(key, sequence.Read, _room.AsSpan(0, count));
                sequence.Read += count;
            }
            else if (stream.TryPeek(out ReadOnlyMemory<byte> memory))
            {
                Pattern.AssertAt(key, sequence.Read, memory.Span);
                int count = _random.Next(memory.Length + 1);
                stream.Advance(count);
                sequence.Read += count;
            }
        }

        private void Send(StreamEnd end)
        {
            if (end.Send(_random.Next(64, 1200), _random.Next(2) == 0) is { } packet)
            {
                _underWay.Add(packet);
            }
        }

        private void Arrive()
        {
            if (_underWay.Count == 0)
            {
                return;
            }

            StreamPacket packet = Remove(_underWay);
            Receive(packet);
            packet.From.Acknowledge(packet);
        }

        private void Lose()
        {
            if (_underWay.Count > 0)
            {
                StreamPacket packet = Remove(_underWay);
                packet.From.Lose(packet);
                _lost.Add(packet);
            }
        }

        // It counted as lost, and then it came after all.
        private void Late()
        {
            if (_lost.Count > 0)
            {
                StreamPacket packet = Remove(_lost);
                Receive(packet);
                packet.From.Acknowledge(packet);
            }
        }

        private void Receive(StreamPacket packet) => Assert.Equal(QuicError.None, _pair.Other(packet.From).Receive(packet));

        private StreamPacket Remove(List<StreamPacket> packets)
        {
            int index = _random.Next(packets.Count);
            StreamPacket packet = packets[index];
            packets.RemoveAt(index);
            return packet;
        }

        private void TakeEvents()
        {
            foreach (StreamEnd end in Ends)
            {
                foreach (StreamEvent next in end.Events())
                {
                    if (next.Kind == StreamEventKind.Opened)
                    {
                        _sequences.Add((end, next.Stream!.Id), new Sequence(next.Stream));
                    }
                    else if (next.Kind == StreamEventKind.Closed)
                    {
                        Assert.True(_sequences.Remove((end, next.Stream!.Id), out Sequence? sequence));
                        AssertEnd(end, sequence);
                        _closed++;
                    }
                }
            }
        }

        // A stream that ended well was read whole.
        private void AssertEnd(StreamEnd end, Sequence sequence)
        {
            QuicStreamState stream = sequence.Stream;
            if (stream.CanRead && stream.IsReadEnd && _sequences.TryGetValue((_pair.Other(end), stream.Id), out Sequence? twin))
            {
                Assert.Equal(twin.Written, sequence.Read);
            }

            Assert.True(stream.IsSendDone);
            Assert.False(end.Set.TryFind(stream.Id, out _));
        }

        private static long Key(StreamEnd sender, QuicStreamState stream) => (stream.Id << 1) | (long)sender.Role;

        private sealed class Sequence(QuicStreamState stream)
        {
            public QuicStreamState Stream { get; } = stream;

            public long Written { get; set; }

            public long Read { get; set; }
        }
    }
}
