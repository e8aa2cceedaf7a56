using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tests.Paths.Support;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Endpoints;

/// <summary>RFC 9000 sections 8.1.2 and 17.2.5.</summary>
public sealed class RetryAnswerTests
{
    private static readonly ConnectionId Client = Ids.Hex("c1c2c3c4");
    private static readonly ConnectionId Destination = Ids.Hex("8394c8f03e515708");
    private static readonly byte[] Address = [192, 0, 2, 1, 0x12, 0x34];

    public static TheoryData<string> Names => Providers.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public void The_client_believes_the_Retry_and_the_server_its_token(string name)
    {
        using var tokens = new AddressTokens(Seeded.Bytes(1));
        using var answers = new RetryAnswer(tokens, Providers.Get(name), Seeded.Bytes(2), idLength: 8);
        using var integrity = new RetryIntegrity(Providers.Get(name));
        byte[] answer = new byte[RetryAnswer.MaxLength];
        int length = answers.Write(TimeSpan.FromSeconds(5), Client, Destination, Address, answer);

        Assert.True(RetryPacket.TryRead(answer.AsSpan(0, length), out RetryPacket packet));
        Assert.True(integrity.IsValid(Destination, packet));
        Assert.Equal(Client, packet.Destination);
        Assert.Equal(8, packet.Source.Length);
        Assert.NotEqual(Destination, packet.Source);

        TokenResult result = tokens.Check(TimeSpan.FromSeconds(6), packet.Token, Address, [], packet.Source, out ConnectionId original);
        Assert.Equal((TokenResult.Retry, Destination), (result, original));
    }

    [Fact]
    public void The_id_is_never_the_one_that_the_client_sent_to()
    {
        // A source of ids that draws the client's own first.
        int calls = 0;
        using var tokens = new AddressTokens(Seeded.Bytes(1));
        using var answers = new RetryAnswer(tokens, Providers.Get(Providers.Names.First().Data), bytes => bytes.Fill((byte)(calls++ / 2)), idLength: 8);
        byte[] answer = new byte[RetryAnswer.MaxLength];
        int length = answers.Write(TimeSpan.Zero, Client, new ConnectionId(new byte[8]), Address, answer);
        Assert.True(RetryPacket.TryRead(answer.AsSpan(0, length), out RetryPacket packet));
        Assert.NotEqual(new ConnectionId(new byte[8]), packet.Source);
    }

    [Fact]
    public void The_longest_ids_fit_and_others_are_refused()
    {
        using var tokens = new AddressTokens(Seeded.Bytes(1));
        IProtectionProvider provider = Providers.Get(Providers.Names.First().Data);
        using var answers = new RetryAnswer(tokens, provider, Seeded.Bytes(2), idLength: 20);
        byte[] answer = new byte[RetryAnswer.MaxLength];
        var longest = new ConnectionId(new byte[20]);
        Assert.Equal(RetryAnswer.MaxLength, answers.Write(TimeSpan.Zero, longest, longest, Address, answer));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryAnswer(tokens, provider, Seeded.Bytes(2), idLength: 7));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RetryAnswer(tokens, provider, Seeded.Bytes(2), idLength: 21));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_is_allocated(string name)
    {
        using var tokens = new AddressTokens(Seeded.Bytes(1));
        using var answers = new RetryAnswer(tokens, Providers.Get(name), Seeded.Bytes(2), idLength: 8);
        byte[] answer = new byte[RetryAnswer.MaxLength];
        Allocations.AssertNone(() => _ = answers.Write(TimeSpan.Zero, Client, Destination, Address, answer));
    }
}
