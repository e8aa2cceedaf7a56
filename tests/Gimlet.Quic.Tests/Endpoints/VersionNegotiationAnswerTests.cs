using System.Buffers.Binary;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Tests.Paths.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Endpoints;

/// <summary>RFC 9000 sections 5.2.2 and 6.1.</summary>
public sealed class VersionNegotiationAnswerTests
{
    private readonly VersionNegotiationAnswer _answers = new(Seeded.Bytes(61));
    private readonly byte[] _answer = new byte[VersionNegotiationAnswer.MaxLength];

    [Fact]
    public void An_unknown_version_is_told_the_versions_there_are()
    {
        byte[] destination = [1, 2, 3, 4, 5, 6, 7, 8], source = [9, 8, 7];
        Assert.True(_answers.TryWrite(TimeSpan.Zero, Datagram(0xff00_001d, destination, source), _answer, out int length));
        Assert.True(VersionNegotiationPacket.TryRead(_answer.AsSpan(0, length), out VersionNegotiationPacket packet));
        Assert.Equal(source, packet.DestinationConnectionId);
        Assert.Equal(destination, packet.SourceConnectionId);
        Assert.True(packet.Lists(QuicVersion.Version1));
        Assert.Equal(2, packet.VersionCount);
        Assert.True(packet.GetVersion(0).IsReserved() ^ packet.GetVersion(1).IsReserved());
    }

    [Fact]
    public void The_answer_never_lists_the_version_it_answers()
    {
        // Of the 65,536 reserved versions the client may have taken the very one that is drawn.
        var answers = new VersionNegotiationAnswer(bytes => bytes.Fill(0x3a));
        Assert.True(answers.TryWrite(TimeSpan.Zero, Datagram(0x3a3a_3a3a, [], []), _answer, out int length));
        Assert.True(VersionNegotiationPacket.TryRead(_answer.AsSpan(0, length), out VersionNegotiationPacket packet));
        Assert.False(packet.Lists((QuicVersion)0x3a3a_3a3a));
        Assert.True(packet.GetVersion(0).IsReserved() || packet.GetVersion(1).IsReserved());
    }

    [Fact]
    public void Reserved_versions_differ_and_come_first_or_last()
    {
        var seen = new HashSet<QuicVersion>();
        int first = 0;
        for (int i = 0; i < 200; i++)
        {
            Assert.True(_answers.TryWrite(TimeSpan.Zero, Datagram(0x0000_0002, [1], [2]), _answer, out int length));
            Assert.True(VersionNegotiationPacket.TryRead(_answer.AsSpan(0, length), out VersionNegotiationPacket packet));
            bool isFirst = packet.GetVersion(0).IsReserved();
            first += isFirst ? 1 : 0;
            _ = seen.Add(packet.GetVersion(isFirst ? 0 : 1));
        }

        Assert.InRange(seen.Count, 150, 200);
        Assert.InRange(first, 50, 150);
    }

    [Fact]
    public void Ids_of_255_bytes_are_echoed_within_half_the_size()
    {
        byte[] destination = [.. Enumerable.Repeat((byte)1, 255)], source = [.. Enumerable.Repeat((byte)2, 255)];
        Assert.True(_answers.TryWrite(TimeSpan.Zero, Datagram(5, destination, source), _answer, out int length));
        Assert.Equal(VersionNegotiationAnswer.MaxLength, length);
        Assert.InRange(length, 1, VersionNegotiationAnswer.MinDatagramLength / 2);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    public void Version_Negotiation_and_known_versions_are_not_answered(uint version) =>
        Assert.False(_answers.TryWrite(TimeSpan.Zero, Datagram(version, [1], [2]), _answer, out _));

    [Fact]
    public void Small_datagrams_and_short_headers_are_not_answered()
    {
        byte[] datagram = Datagram(5, [1], [2]);
        Assert.False(_answers.TryWrite(TimeSpan.Zero, datagram.AsSpan(1), _answer, out _));
        Assert.False(_answers.TryWrite(TimeSpan.Zero, datagram.AsSpan(0, 1199), _answer, out _));
        datagram[0] &= 0x7f;
        Assert.False(_answers.TryWrite(TimeSpan.Zero, datagram, _answer, out int length));
        Assert.Equal(0, length);
    }

    [Fact]
    public void Only_so_many_answers_are_sent_in_a_second()
    {
        byte[] datagram = Datagram(5, [1], [2]);
        int count = 0;
        for (int i = 0; i < 5_000; i++)
        {
            count += _answers.TryWrite(TimeSpan.FromSeconds(1), datagram, _answer, out _) ? 1 : 0;
        }

        Assert.Equal(VersionNegotiationAnswer.PerSecond, count);
        Assert.True(_answers.TryWrite(TimeSpan.FromSeconds(2), datagram, _answer, out _));
    }

    [Fact]
    public void No_mutated_datagram_makes_it_throw()
    {
        byte[][] valid = [Datagram(5, new byte[20], new byte[20]), Datagram(0xff, new byte[200], new byte[255])];
        int second = 0, answered = 0;
        foreach (byte[] datagram in Mutations.Random(valid, seed: 61))
        {
            answered += _answers.TryWrite(TimeSpan.FromSeconds(++second), datagram, _answer, out _) ? 1 : 0;
        }

        Assert.InRange(answered, Mutations.Count / 4, Mutations.Count);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] datagram = Datagram(5, new byte[20], new byte[20]);
        int second = 0;
        Allocations.AssertNone(() => Assert.True(_answers.TryWrite(TimeSpan.FromSeconds(++second), datagram, _answer, out _)));
    }

    private static byte[] Datagram(uint version, byte[] destination, byte[] source)
    {
        byte[] datagram = new byte[1200];
        datagram[0] = 0xc0;
        BinaryPrimitives.WriteUInt32BigEndian(datagram.AsSpan(1), version);
        datagram[5] = (byte)destination.Length;
        destination.CopyTo(datagram, 6);
        datagram[6 + destination.Length] = (byte)source.Length;
        source.CopyTo(datagram, 7 + destination.Length);
        return datagram;
    }
}
