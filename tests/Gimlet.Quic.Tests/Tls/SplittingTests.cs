using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls;

/// <summary>CRYPTO frames cut the stream of messages anywhere, and the stream is bounded.</summary>
public sealed class SplittingTests
{
    [Fact]
    public void Bytes_may_come_one_by_one()
    {
        using var pair = new TlsPair();
        pair.Cut = bytes => Enumerable.Range(0, bytes.Length).Select(i => (ReadOnlyMemory<byte>)bytes.AsMemory(i, 1));
        pair.Run();

        Assert.Null(pair.AnyError);
        Assert.True(pair.BothComplete);
    }

    [Fact]
    public void Pieces_may_hold_any_part_of_any_number_of_messages()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            using TlsClient client = new(TlsPair.ClientOptions(), random.NextBytes);
            using TlsServer server = new(TlsPair.ServerOptions(), random.NextBytes);
            client.Start();
            for (int round = 0; round < 2; round++)
            {
                Carry(client, server, random);
                Carry(server, client, random);
            }

            Assert.Null(client.Error ?? server.Error);
            Assert.True(client.IsComplete && server.IsComplete, $"seed {seed}");
        }
    }

    [Fact]
    public void An_empty_piece_is_nothing()
    {
        using var pair = new TlsPair();
        pair.Server.Handle(EncryptionLevel.Initial, []);
        pair.Server.Handle(EncryptionLevel.OneRtt, []);

        Assert.False(pair.Server.TryPoll(out _));
        Assert.Null(pair.Server.Error);
    }

    [Fact]
    public void A_message_that_is_too_long_is_refused_at_its_header()
    {
        using var pair = new TlsPair();
        pair.Server.Handle(EncryptionLevel.Initial, [(byte)HandshakeType.ClientHello, 0x00, 0x40, 0x01]);

        Assert.Equal("CRYPTO_BUFFER_EXCEEDED", Expect.NameOf(pair.Server.Error));
    }

    [Fact]
    public void A_message_of_the_greatest_length_is_waited_for()
    {
        using var pair = new TlsPair();
        pair.Server.Handle(EncryptionLevel.Initial, [(byte)HandshakeType.ClientHello, 0x00, 0x40, 0x00]);

        Assert.Null(pair.Server.Error);
    }

    [Theory]
    [InlineData(0x01_00_00, "none")]
    [InlineData(0x01_00_01, "CRYPTO_BUFFER_EXCEEDED")]
    [InlineData(0xff_ff_ff, "CRYPTO_BUFFER_EXCEEDED")]
    public void A_certificate_has_its_own_limit(int length, string error)
    {
        using var pair = new TlsPair();
        pair.Bend = message => message is { FromClient: false, Type: HandshakeType.Certificate }
            ? [[(byte)HandshakeType.Certificate, (byte)(length >> 16), (byte)(length >> 8), (byte)length]]
            : message is { FromClient: false, Index: > 3 } ? [] : [message.Bytes];
        pair.Run();

        Assert.Equal(error, Expect.NameOf(pair.Client.Error));
    }

    [Fact]
    public void A_message_of_the_wrong_type_is_refused_before_its_body_comes()
    {
        using var pair = new TlsPair();
        pair.Server.Handle(EncryptionLevel.Initial, [(byte)HandshakeType.Certificate, 0, 1, 0]);

        Assert.Equal("UnexpectedMessage", Expect.NameOf(pair.Server.Error));
    }

    [Fact]
    public void The_buffer_gives_messages_and_its_memory_back()
    {
        var buffer = new HandshakeBuffer();
        buffer.Append([1, 0, 0, 2, 7, 8, 2, 0, 0]);
        Assert.True(buffer.TryTake(out ReadOnlySpan<byte> first));
        Assert.Equal([1, 0, 0, 2, 7, 8], first.ToArray());
        Assert.False(buffer.TryTake(out _));
        Assert.False(buffer.IsEmpty);
        buffer.ReleaseIfEmpty();
        buffer.Append([0]);
        Assert.True(buffer.TryTake(out ReadOnlySpan<byte> second));
        Assert.Equal([2, 0, 0, 0], second.ToArray());
        Assert.True(buffer.IsEmpty);
        buffer.ReleaseIfEmpty();
        buffer.Append([3, 0, 0, 0]);
        Assert.True(buffer.TryTake(out ReadOnlySpan<byte> third));
        Assert.Equal([3, 0, 0, 0], third.ToArray());
    }

    private static void Carry(TlsEndpoint from, TlsEndpoint to, Random random)
    {
        Dictionary<EncryptionLevel, List<byte>> streams = [];
        while (from.TryPoll(out TlsEvent e))
        {
            e.Secret?.Dispose();
            if (e.Kind == TlsEventKind.Send)
            {
                if (!streams.TryGetValue(e.Level, out List<byte>? stream))
                {
                    streams[e.Level] = stream = [];
                }

                stream.AddRange(e.Data.Span);
            }
        }

        foreach ((EncryptionLevel level, List<byte> stream) in streams.OrderBy(pair => pair.Key))
        {
            for (int start = 0; start < stream.Count;)
            {
                int count = Math.Min(random.Next(1, 700), stream.Count - start);
                to.Handle(level, stream.GetRange(start, count).ToArray());
                start += count;
            }
        }
    }
}
