using System.Text;
using Gimlet.Server.Rendezvous;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class MalformedInputTests
{
    private static readonly RendezvousLimits Generous = new() { MessageBurst = int.MaxValue, CallsPerMinute = int.MaxValue, IncomingCallsPerMinute = int.MaxValue, WaitingCallsPerNode = int.MaxValue };

    [Fact]
    public void Every_truncation_of_every_message_is_survived_and_answered_with_a_typed_error()
    {
        var scene = new Scene();
        foreach (byte[] whole in scene.ValidFrames())
        {
            for (int length = 0; length < whole.Length; length++)
            {
                scene.Sender.SendRaw(whole.AsSpan(0, length));
                Assert.Equal(ErrorCode.BadMessage, scene.Sender.Output.Next<ErrorMessage>().Code);
            }
        }

        scene.EveryoneIsWell();
    }

    [Fact]
    public void Ten_thousand_mutations_of_valid_messages_throw_nothing_and_end_no_session()
    {
        const int Seed = 20_260_101;
        var random = new Random(Seed);
        var scene = new Scene();
        byte[][] frames = [.. scene.ValidFrames()];
        for (int i = 0; i < 10_000; i++)
        {
            byte[] mutant = Mutate(frames[i % frames.Length], random);
            try
            {
                scene.Sender.SendRaw(mutant);
                scene.Stranger.SendRaw(mutant);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {Seed}, mutation {i}: {e.GetType().Name} for {Encoding.Latin1.GetString(mutant)}\n{e}");
            }

            if (scene.Stranger.Session.IsClosed)
            {
                // A registration whose proof was hit is refused; that is the one end a mutation may bring about.
                Assert.Equal(ErrorCode.BadSignature, scene.Stranger.Output.CloseReason);
                scene.Stranger.Disconnect();
                scene.NewStranger();
            }
        }

        scene.EveryoneIsWell();
    }

    public static TheoryData<string> Shapes =>
    [
        "", " ", "null", "1", "\"x\"", "[]", "[{}]", "{}", "{\"type\":null}", "{\"type\":1}", "{\"type\":{}}", "{\"type\":\"connect\",\"type\":\"ping\"}",
        "{\"type\":\"ping\",\"id\":\"x\"}", "{\"type\":\"ping\",\"id\":1e400}", "{\"type\":\"ping\",\"id\":99999999999999999999}",
        "{\"type\":\"update\",\"candidates\":{}}", "{\"type\":\"update\",\"candidates\":[null,1]}", "{\"type\":\"update\",\"candidates\":[[[[[[[[[[[[]]]]]]]]]]]]}",
        "{\"type\":\"update\",\"nat\":[]}", "{\"type\":\"update\",\"nat\":{\"evidence\":\"\\ud800\"}}", "{\"type\":\"connect\",\"ephemeral\":{\"key\":\"!!\"}}",
        "{\"type\":\"connect\",\"ephemeral\":{\"key\":\"\\u0041\"}}", "{\"type\":\"connect\",\"ephemeral\":{\"key\":1}}", "{\"type\":\"connect\",\"call\":\"\\u0000\"}",
        "{\"$id\":\"1\",\"type\":\"ping\"}", "{\"$ref\":\"1\"}", "{\"$values\":[],\"type\":\"ping\"}", "{\"$type\":\"ping\"}", "\u0000", "{\"type\":\"ping\"}trailing",
        "{\"type\":\"accept\",\"call\":\"00000000000000000000000000000000\"}", "{\"type\":\"reject\"}", "{\"type\":\"candidates\"}", "{\"type\":\"register\"}",
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Odd_shapes_of_JSON_are_survived(string text)
    {
        var scene = new Scene();
        scene.Sender.SendRaw(Encoding.UTF8.GetBytes(text));
        scene.Stranger.SendRaw(Encoding.UTF8.GetBytes(text));
        scene.EveryoneIsWell();
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_survived()
    {
        var scene = new Scene();
        scene.Sender.SendRaw([(byte)'{', (byte)'"', 0xff, 0xfe, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        scene.Sender.SendRaw([.. "{\"type\":\"update\",\"nat\":{\"evidence\":\""u8, 0xc0, 0x80, .. "\"}}"u8]);
        scene.EveryoneIsWell();
    }

    private static byte[] Mutate(byte[] frame, Random random)
    {
        var bytes = new List<byte>(frame);
        int changes = random.Next(1, 5);
        for (int i = 0; i < changes && bytes.Count > 0; i++)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveAt(at);
                    break;
                case 3:
                    bytes.Insert(at, (byte)"{}[]\",:\\0"[random.Next(9)]);
                    break;
                case 4:
                    // A piece of the message, again, somewhere else.
                    int start = random.Next(bytes.Count);
                    bytes.InsertRange(at, bytes.GetRange(start, random.Next(Math.Min(40, bytes.Count - start))));
                    break;
                default:
                    bytes.RemoveRange(at, random.Next(Math.Min(40, bytes.Count - at)));
                    break;
            }
        }

        return [.. bytes];
    }

    private sealed class Scene
    {
        private readonly World _world = new(o => o with { Limits = Generous });
        private readonly WorldNode _bystander;
        private readonly WorldNode _callee;

        public Scene()
        {
            Sender = _world.Register();
            _callee = _world.Register(accept: AcceptMode.OnAccept);
            _bystander = _world.Register();
            NewStranger();
        }

        public WorldNode Sender { get; }

        public WorldNode Stranger { get; private set; } = null!;

        public void NewStranger()
        {
            Stranger = _world.Connect();
            Nonce = Stranger.Output.Next<ChallengeMessage>().Nonce!;
        }

        private byte[] Nonce { get; set; } = [];

        public IEnumerable<byte[]> ValidFrames()
        {
            CandidateDescription[] candidates =
            [
                .. TestNode.Host("192.168.1.4:5000", "[2001:db8::4]:5001"),
                new() { Kind = "srflx", Address = "203.0.113.5:5002", Proof = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20] },
            ];
            string incoming = _bystander.Call(Sender);
            string outgoing = Sender.Call(_callee);
            Sender.Output.Drain();
            return new SignalMessage[]
            {
                Stranger.Node.Register(Nonce, World.Authority) with { Candidates = candidates, Token = "token" },
                new UpdateMessage { Candidates = candidates, Nat = new NatDescription { Mapping = "unknown", Filtering = "unknown", Evidence = "words" }, Accept = AcceptMode.OnAccept },
                Sender.Node.Call(_callee.Id) with { Candidates = candidates },
                new AcceptMessage { Call = incoming, Candidates = candidates },
                new RejectMessage { Call = TestNode.NewCallId(), Reason = RejectReason.Busy, Detail = "words" },
                new CandidatesMessage { Call = outgoing, Candidates = candidates },
                new PingMessage { Id = 1 },
                new PongMessage { Id = 1 },
            }.Select(SignalCodec.Write);
        }

        public void EveryoneIsWell()
        {
            Assert.False(Sender.Session.IsClosed);
            Assert.False(_callee.Session.IsClosed);
            _ = _bystander.Output.Drain();
            _ = _callee.Output.Drain();
            string call = _bystander.Call(_callee);
            _callee.Send(new AcceptMessage { Call = call });
            Assert.Equal(call, _bystander.Output.Next<IntroduceMessage>().Call);
        }
    }
}
