using System.Buffers.Binary;
using Gimlet.Server.Relay;

namespace Gimlet.Server.Tests.Relay;

public sealed class PermissionTableTests
{
    [Fact]
    public void Nobody_passes_who_was_not_admitted()
    {
        var table = new PermissionTable(8);
        Assert.Equal(0, table.Take(Peer(1), 5));
        table.Admit(Peer(1));
        Assert.Equal(5, table.Take(Peer(1), 5));
        Assert.Equal(0, table.Take(Peer(2), 5));
    }

    [Fact]
    public void A_waiting_caller_passes_with_its_share_and_is_forgotten_after_the_call()
    {
        var table = new PermissionTable(8);
        table.BeginWait(Peer(1), 10);
        Assert.Equal([4, 4, 2, 0], new[] { table.Take(Peer(1), 4), table.Take(Peer(1), 4), table.Take(Peer(1), 4), table.Take(Peer(1), 4) });
        table.EndWait(Peer(1));
        Assert.Equal(0, table.Count);
        table.EndWait(Peer(1));
        table.BeginWait(Peer(1), 10);
        Assert.Equal(7, table.Take(Peer(1), 7));
    }

    [Fact]
    public void Of_two_waiting_calls_of_one_caller_the_end_of_the_first_leaves_the_second()
    {
        var table = new PermissionTable(8);
        table.BeginWait(Peer(1), 10);
        table.BeginWait(Peer(1), 10);
        table.EndWait(Peer(1));
        Assert.Equal(10, table.Take(Peer(1), 20));
        table.EndWait(Peer(1));
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void Who_was_admitted_while_a_call_waited_stays()
    {
        var table = new PermissionTable(8);
        table.BeginWait(Peer(1), 10);
        table.Admit(Peer(1));
        table.EndWait(Peer(1));
        Assert.Equal(1000, table.Take(Peer(1), 1000));
    }

    [Fact]
    public void The_least_recently_used_goes_first()
    {
        var table = new PermissionTable(3);
        table.Admit(Peer(1));
        table.Admit(Peer(2));
        table.Admit(Peer(3));
        Assert.Equal(1, table.Take(Peer(1), 1));
        table.Admit(Peer(4));
        Assert.Equal([1, 0, 1, 1], new[] { 1, 2, 3, 4 }.Select(i => table.Take(Peer(i), 1)));
        Assert.Equal(3, table.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_does_what_a_plain_list_does_whatever_comes(int seed)
    {
        const int Capacity = 7;
        var random = new Random(seed);
        var table = new PermissionTable(Capacity);
        var model = new List<(int Peer, bool Admitted, int Waits, int Credit)>();
        for (int step = 0; step < 20_000; step++)
        {
            int peer = random.Next(12);
            int at = model.FindIndex(e => e.Peer == peer);
            (int Peer, bool Admitted, int Waits, int Credit) entry = at < 0 ? (peer, false, 0, 0) : model[at];
            switch (random.Next(4))
            {
                case 0:
                    table.Admit(Peer(peer));
                    Put(entry with { Admitted = true });
                    break;
                case 1:
                    table.BeginWait(Peer(peer), 10);
                    Put(entry with { Waits = entry.Waits + 1, Credit = 10 });
                    break;
                case 2:
                    table.EndWait(Peer(peer));
                    if (at >= 0)
                    {
                        model[at] = entry with { Waits = Math.Max(0, entry.Waits - 1) };
                        if (model[at] is { Waits: 0, Admitted: false })
                        {
                            model.RemoveAt(at);
                        }
                    }

                    break;
                default:
                    int asked = random.Next(1, 6);
                    int expected = entry.Admitted ? asked : Math.Min(asked, entry.Credit);
                    Assert.Equal(at < 0 ? 0 : expected, table.Take(Peer(peer), asked));
                    if (at >= 0)
                    {
                        Put(entry.Admitted ? entry : entry with { Credit = entry.Credit - expected });
                    }

                    break;
            }

            Assert.Equal(model.Count, table.Count);

            void Put((int Peer, bool Admitted, int Waits, int Credit) changed)
            {
                if (at >= 0)
                {
                    model.RemoveAt(at);
                }
                else if (model.Count == Capacity)
                {
                    model.RemoveAt(0);
                }

                model.Add(changed);
            }
        }
    }

    private static PeerId Peer(int number)
    {
        Span<byte> hash = stackalloc byte[PeerId.Size];
        hash.Clear();
        BinaryPrimitives.WriteInt32BigEndian(hash, number + 1);
        return new PeerId(hash);
    }
}
