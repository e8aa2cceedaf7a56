using System.Collections.Concurrent;
using Gimlet.Server.Rendezvous;
using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class ConcurrencyTests
{
    private const int Callers = 4;
    private const int Callees = 4;
    private const int CallsPerCaller = 2_000;

    [Fact]
    public async Task Whatever_callees_do_meanwhile_on_other_threads_every_call_gets_one_answer_and_nothing_is_left_over()
    {
        const int Seed = 7;
        var world = new World(o => o with
        {
            Limits = new RendezvousLimits
            {
                MessageBurst = int.MaxValue,
                CallsPerMinute = int.MaxValue,
                IncomingCallsPerMinute = int.MaxValue,
                WaitingCallsPerNode = 50,
                UnregisteredPerAddress = 1000,
            },
        });
        WorldNode[] callers = [.. Enumerable.Range(0, Callers).Select(_ => world.Register())];
        TestNode[] callees = [.. Enumerable.Range(0, Callees).Select(_ => new TestNode())];
        var left = new ConcurrentBag<WorldNode>();
        using var done = new CancellationTokenSource();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));

        Task[] calling = [.. callers.Select((caller, i) => Run(() =>
        {
            var random = new Random(Seed + i);
            for (int n = 0; n < CallsPerCaller; n++)
            {
                caller.Send(caller.Node.Call(callees[random.Next(Callees)].Id, $"{((ulong)i << 32) + (ulong)n:x32}"));
            }
        }))];
        Task[] answering = [.. callees.Select((callee, i) => Run(() => BeCallee(world, callee, new Random(Seed * 100 + i), left, done.Token)))];
        await Task.WhenAll(calling).WaitAsync(deadline.Token);
        await done.CancelAsync();
        await Task.WhenAll(answering).WaitAsync(deadline.Token);

        world.Advance(10);
        var answers = new Dictionary<string, List<SignalMessage>>();
        foreach (SignalMessage message in callers.SelectMany(c => c.Output.Drain()))
        {
            string? call = message switch { IntroduceMessage m => m.Call, RejectMessage m => m.Call, _ => null };
            if (call is not null)
            {
                answers.TryAdd(call, []);
                answers[call].Add(message);
            }
        }

        Assert.Equal(Callers * CallsPerCaller, answers.Count);
        Assert.All(answers.Values, a => Assert.True(a is [_] or [IntroduceMessage, RejectMessage], string.Join(" ", a)));
        Assert.Contains(answers.Values, a => a[0] is IntroduceMessage);
        Assert.Contains(answers.Values, a => a[0] is RejectMessage { Reason: RejectReason.Offline });

        foreach (WorldNode node in left.Concat(callers))
        {
            node.Disconnect();
        }

        world.Advance(30);
        Assert.Equal((0, 0, 0), (world.Core.NodeCount, world.Core.SessionCount, world.Core.CallCount));
    }

    private static void BeCallee(World world, TestNode node, Random random, ConcurrentBag<WorldNode> left, CancellationToken done)
    {
        WorldNode? session = null;
        while (!done.IsCancellationRequested)
        {
            switch (session is null ? 0 : random.Next(40))
            {
                case 0:
                    // A new session, while the older one is still there.
                    WorldNode? older = session;
                    session = new WorldNode(world, "198.51.100.7:1", World.Authority, node);
                    session.Register(random.Next(2) == 0 ? AcceptMode.Open : AcceptMode.OnAccept);
                    older?.Disconnect();
                    break;
                case 1:
                    session!.Disconnect();
                    session = null;
                    break;
                case 2:
                    session!.Send(new UpdateMessage { Accept = random.Next(2) == 0 ? AcceptMode.Open : AcceptMode.OnAccept });
                    break;
                default:
                    foreach (IncomingMessage incoming in session!.Output.Drain().OfType<IncomingMessage>())
                    {
                        switch (random.Next(4))
                        {
                            case 0:
                                session.Send(new RejectMessage { Call = incoming.Call, Reason = RejectReason.Busy });
                                break;
                            case 1:
                                break;
                            default:
                                session.Send(new AcceptMessage { Call = incoming.Call });
                                session.Send(new CandidatesMessage { Call = incoming.Call, Candidates = TestNode.Host("10.0.0.1:1") });
                                break;
                        }
                    }

                    break;
            }
        }

        if (session is not null)
        {
            left.Add(session);
        }
    }

    private static Task Run(Action action) => Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
