using Gimlet.Calls;
using Gimlet.Sockets;
using Gimlet.Stun;

namespace Gimlet.Tests.Calls;

/// <summary>The small parts that keep a call from growing or flooding: budget, transactions, queue.</summary>
public sealed class BoundsTests
{
    [Fact]
    public void The_budget_gives_a_seconds_worth_and_refills_with_time()
    {
        var budget = new CheckBudget(10);
        var now = TimeSpan.FromHours(5);
        Assert.Equal(10, Take(budget, now));
        Assert.Equal(0, Take(budget, now));
        Assert.Equal(0, Take(budget, now + TimeSpan.FromMilliseconds(99)));
        Assert.Equal(1, Take(budget, now + TimeSpan.FromMilliseconds(101)));
        Assert.Equal(10, Take(budget, now + TimeSpan.FromHours(1)));
    }

    [Fact]
    public void A_transaction_is_taken_once()
    {
        var transactions = new CheckTransactions();
        transactions.Add(Id(1), At(TimeSpan.Zero));
        Assert.True(transactions.TryPeek(Id(1), out _));
        Assert.True(transactions.TryTake(Id(1), out _));
        Assert.False(transactions.TryTake(Id(1), out _));
        Assert.False(transactions.TryPeek(Id(1), out _));
    }

    [Fact]
    public void What_nobody_answers_is_forgotten_after_five_seconds()
    {
        var transactions = new CheckTransactions();
        transactions.Add(Id(1), At(TimeSpan.Zero));
        transactions.Add(Id(2), At(TimeSpan.FromSeconds(4)));
        transactions.Add(Id(3), At(TimeSpan.FromSeconds(5.1)));
        Assert.False(transactions.TryPeek(Id(1), out _));
        Assert.True(transactions.TryPeek(Id(2), out _));
        Assert.True(transactions.TryPeek(Id(3), out _));
    }

    [Fact]
    public void The_queue_drops_and_counts_what_does_not_fit()
    {
        var queue = new TransmitQueue();
        TransportAddress to = TransportAddress.Parse("192.0.2.1:1");
        for (int i = 0; i < 1100; i++)
        {
            byte[] buffer = queue.Rent();
            buffer[0] = (byte)i;
            queue.Enqueue(to, default, NodeSocketKind.Main, buffer, 1);
        }

        Assert.Equal(1100 - 1024, queue.Dropped);
        for (int i = 0; i < 1024; i++)
        {
            Assert.True(queue.TryDequeue(out Datagram datagram));
            Assert.Equal((byte)i, datagram.Bytes[0]);
            queue.Return(datagram.Buffer);
        }

        Assert.False(queue.TryDequeue(out _));
    }

    [Fact]
    public void A_message_that_did_not_fit_its_buffer_is_never_sent()
    {
        var queue = new TransmitQueue();
        queue.Enqueue(TransportAddress.Parse("192.0.2.1:1"), default, NodeSocketKind.Main, queue.Rent(), 0);
        Assert.False(queue.TryDequeue(out _));
    }

    private static int Take(CheckBudget budget, TimeSpan now)
    {
        int taken = 0;
        while (budget.TryTake(now))
        {
            taken++;
        }

        return taken;
    }

    private static StunTransactionId Id(byte number) => new([number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

    private static CheckTransaction At(TimeSpan sentAt) => new(null!, null!, sentAt, CheckPurpose.Check, 0);
}
