using Gimlet.Quic.Tests.Tls.Support;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Messages;

namespace Gimlet.Quic.Tests.Tls;

/// <summary>Somebody on the path changes bytes. Whatever he does, the two never both believe that they are done.</summary>
public sealed class TamperTests
{
    private const int Mutations = 10_000;

    private readonly TlsIdentity _client = Identities.P256();
    private readonly TlsIdentity _server = Identities.P256();

    public static TheoryData<bool, int> Messages => OrderMessages();

    [Theory]
    [MemberData(nameof(Messages))]
    public void No_byte_of_any_message_can_be_changed(bool fromClient, int index)
    {
        int length = Length(fromClient, index);
        for (int position = 0; position < length; position++)
        {
            byte mask = (byte)(1 << (position % 8));
            using TlsPair pair = Run(fromClient, index, message =>
            {
                message[Math.Min(position, message.Length - 1)] ^= mask;
                return message;
            });

            AssertRefused(pair, mayStall: position < HandshakeBuffer.HeaderLength, $"byte {position}");
        }
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void No_message_can_be_shortened(bool fromClient, int index)
    {
        int length = Length(fromClient, index);
        for (int cut = 1; cut <= length - HandshakeBuffer.HeaderLength; cut++)
        {
            using TlsPair pair = Run(fromClient, index, message =>
                WireMessage.Frame((HandshakeType)message[0], message.AsSpan(4, Math.Max(0, message.Length - 4 - cut))));

            AssertRefused(pair, mayStall: false, $"{cut} bytes less");
        }
    }

    [Fact]
    public void Ten_thousand_seeded_mutations_are_refused_without_an_exception()
    {
        for (int seed = 0; seed < Mutations; seed++)
        {
            var random = new Random(seed);
            bool fromClient = random.Next(2) == 0;
            int index = random.Next(fromClient ? 5 : 7);
            using TlsPair pair = Run(fromClient, index, message => Mutate(message, random));

            AssertRefused(pair, mayStall: true, $"seed {seed}");
        }
    }

    internal static TheoryData<bool, int> OrderMessages()
    {
        TheoryData<bool, int> data = [];
        for (int i = 0; i < 12; i++)
        {
            data.Add(i < 5, i < 5 ? i : i - 5);
        }

        return data;
    }

    private static void AssertRefused(TlsPair pair, bool mayStall, string what)
    {
        Assert.False(pair.BothComplete, what);
        TlsError? error = pair.AnyError;
        Assert.True(mayStall || error is not null, $"{what}: nobody noticed");
        if (error is not null)
        {
            Assert.NotEmpty(error.Reason);
            Assert.NotEqual(TlsAlert.InternalError, error.Alert);
        }
    }

    private static byte[] Mutate(byte[] message, Random random)
    {
        List<byte> bytes = [.. message];
        for (int i = random.Next(1, 4); i > 0 && bytes.Count > 0; i--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at));
                    break;
                case 3:
                    byte[] noise = new byte[random.Next(1, 9)];
                    random.NextBytes(noise);
                    bytes.InsertRange(at, noise);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 40), bytes.Count - at)));
                    break;
            }
        }

        // Half of them with a header that fits, so that they are looked into.
        byte[] mutated = bytes.Count > 4 && random.Next(2) == 0
            ? WireMessage.Frame((HandshakeType)message[0], bytes.ToArray().AsSpan(4))
            : [.. bytes];

        // The dice can undo what they did.
        return mutated.AsSpan().SequenceEqual(message) ? [] : mutated;
    }

    // Lengths of signatures differ from run to run; the longest message of a few runs would only repeat its last byte.
    private int Length(bool fromClient, int index)
    {
        using TlsPair pair = Create().Run();
        Assert.True(pair.BothComplete);
        return pair.Sent.Find(message => message.FromClient == fromClient && message.Index == index)!.Bytes.Length;
    }

    private TlsPair Run(bool fromClient, int index, Func<byte[], byte[]> change)
    {
        TlsPair pair = Create();
        pair.Bend = message =>
            [message.FromClient == fromClient && message.Index == index ? change([.. message.Bytes]) : message.Bytes];
        return pair.Run();
    }

    // With a retry, so that every kind of message is on the wire: five of the client, seven of the server. For a cookie and not for a
    // group: a share on P-384 costs more than the rest of the handshake.
    private TlsPair Create() => new(
        TlsPair.ClientOptions(_client), TlsPair.ServerOptions(_server) with { RetryCookie = new byte[] { 1, 2, 3, 4 } });
}
