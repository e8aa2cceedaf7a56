using Gimlet.Hosting;
using Gimlet.Sockets;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Hosting;

public sealed class HeldInitialsTests
{
    private static readonly TransportAddress Address = TransportAddress.Parse("127.0.0.1:4");

    private readonly HeldInitials _held = new();

    [Fact]
    public void What_is_held_comes_in_its_order_and_once_when_its_peer_is_expected()
    {
        Hold(Keys.Small.Id, 1);
        Hold(Keys.Large.Id, 2);
        Hold(Keys.Small.Id, 3);
        Assert.Equal([], Take(0, Keys.Stranger.Id));
        Assert.Equal([1, 3], Take(0, Keys.Small.Id));
        Assert.Equal([], Take(0, Keys.Small.Id));
        Assert.Equal(1, _held.Count);
        Assert.Equal([2], Take(0, Keys.Large.Id));
        Assert.Equal(0, _held.Count);
    }

    [Fact]
    public void A_peer_that_sends_many_pushes_out_its_own_only()
    {
        Hold(Keys.Large.Id, 0);
        for (int i = 1; i <= 100; i++)
        {
            Hold(Keys.Small.Id, i);
        }

        Assert.Equal(1 + HeldInitials.MaxPerPeer, _held.Count);
        Assert.Equal([0], Take(0, Keys.Large.Id));
        Assert.Equal([97, 98, 99, 100], Take(0, Keys.Small.Id));
    }

    [Fact]
    public void All_peers_together_have_a_bound_and_the_oldest_goes()
    {
        PeerId[] peers = [.. Enumerable.Range(0, HeldInitials.Max + 3).Select(static _ =>
        {
            using var key = NodeIdentity.Create();
            return key.Id;
        })];
        for (int i = 0; i < peers.Length; i++)
        {
            Hold(peers[i], i);
        }

        Assert.Equal(HeldInitials.Max, _held.Count);
        Assert.Equal([], Take(0, peers[2]));
        Assert.Equal([3], Take(0, peers[3]));
    }

    [Fact]
    public void Nothing_is_held_for_longer_than_a_second()
    {
        Hold(Keys.Small.Id, 1, at: 0);
        Hold(Keys.Small.Id, 2, at: 0.5);
        Hold(Keys.Large.Id, 3, at: 0.6);
        Assert.Equal([2], Take(1, Keys.Small.Id));
        _held.DropLate(TimeSpan.FromSeconds(1.59));
        Assert.Equal(1, _held.Count);
        _held.DropLate(TimeSpan.FromSeconds(1.6));
        Assert.Equal(0, _held.Count);
    }

    [Fact]
    public void Who_is_forgotten_has_nothing_held()
    {
        Hold(Keys.Small.Id, 1);
        Hold(Keys.Large.Id, 2);
        _held.Forget(Keys.Small.Id);
        Assert.Equal([], Take(0, Keys.Small.Id));
        Assert.Equal([2], Take(0, Keys.Large.Id));
    }

    [Fact]
    public void Only_what_may_begin_a_connection_is_an_initial()
    {
        byte[] initial = new byte[1200];
        initial[0] = 0xC3;
        initial[4] = 1;
        Assert.True(HeldInitials.IsInitial(initial));
        Assert.False(HeldInitials.IsInitial(initial.AsSpan(0, 1199)));
        Assert.False(HeldInitials.IsInitial([]));
        foreach ((int at, byte value) in new (int, byte)[] { (0, 0x43), (0, 0xD3), (0, 0xE3), (0, 0xF3), (0, 0x83), (4, 2), (4, 0), (1, 0x6B) })
        {
            byte[] other = [.. initial];
            other[at] = value;
            Assert.False(HeldInitials.IsInitial(other), $"{at}: {value:x2}");
        }
    }

    private void Hold(PeerId peer, int number, double at = 0) =>
        _held.Hold(new HeldInitial(peer, default, Address, EcnMark.NotEct, [(byte)number], TimeSpan.FromSeconds(at)));

    private int[] Take(double at, PeerId expected)
    {
        var taken = new List<int>();
        while (_held.TryTake(TimeSpan.FromSeconds(at), p => p == expected, out HeldInitial initial))
        {
            taken.Add(initial.Bytes[0]);
        }

        return [.. taken];
    }
}
