using Gimlet.Quic.Udp;
using Gimlet.Sockets;

namespace Gimlet.Quic.Tests.Api;

public sealed class UdpPathTests
{
    private static readonly TransportAddress Local = TransportAddress.Parse("192.0.2.1:1000");
    private static readonly TransportAddress Remote = TransportAddress.Parse("198.51.100.7:2000");

    private readonly UdpPaths _paths = new();

    [Fact]
    public void A_pair_has_one_number_and_another_pair_another()
    {
        QuicPath path = _paths.GetOrAdd(Local, Remote);
        Assert.Equal(path, _paths.GetOrAdd(Local, Remote));
        Assert.NotEqual(path, _paths.GetOrAdd(Local, Remote.WithPort(2001)));
        Assert.NotEqual(path, _paths.GetOrAdd(Local.WithPort(1001), Remote));
        Assert.True(_paths.TryFind(path, out TransportAddress local, out TransportAddress remote));
        Assert.Equal((Local, Remote), (local, remote));
        Assert.False(_paths.TryFind(new QuicPath(99), out _, out _));
    }

    [Fact]
    public void The_first_answer_says_which_local_address_was_dialled_from()
    {
        QuicPath dialled = _paths.GetOrAdd(default, Remote);
        Assert.True(_paths.TryFind(dialled, out TransportAddress local, out _));
        Assert.True(local.IsEmpty);
        Assert.Equal(dialled, _paths.GetOrAdd(Local, Remote));
        Assert.True(_paths.TryFind(dialled, out local, out _));
        Assert.Equal(Local, local);

        // The next dial to there is on the same path; another local address is another path.
        Assert.Equal(dialled, _paths.GetOrAdd(default, Remote));
        Assert.NotEqual(dialled, _paths.GetOrAdd(TransportAddress.Parse("192.0.2.2:1000"), Remote));
    }

    [Fact]
    public void Whoever_dials_the_same_address_again_gets_the_pair_that_answers_come_on()
    {
        QuicPath first = _paths.GetOrAdd(default, Remote);
        QuicPath beforeAnyAnswer = _paths.GetOrAdd(default, Remote);
        QuicPath answered = _paths.GetOrAdd(Local, Remote);
        QuicPath afterwards = _paths.GetOrAdd(default, Remote);
        Assert.Equal((first, first, first), (beforeAnyAnswer, answered, afterwards));
        for (int i = 0; i < 2 * UdpPaths.MaxSeen; i++)
        {
            _ = _paths.GetOrAdd(Local, new TransportAddress([10, 0, (byte)(i >> 8), (byte)i], 1));
        }

        // Forgotten under both.
        QuicPath anew = _paths.GetOrAdd(default, Remote);
        Assert.NotEqual(first, anew);
        Assert.Equal(anew, _paths.GetOrAdd(Local, Remote));
    }

    [Fact]
    public void What_was_only_seen_is_forgotten_and_what_is_held_is_not()
    {
        QuicPath held = _paths.GetOrAdd(Local, Remote);
        _paths.Hold(held);
        QuicPath seen = _paths.GetOrAdd(Local, Remote.WithPort(1));
        for (int i = 0; i < 3 * UdpPaths.MaxSeen; i++)
        {
            _ = _paths.GetOrAdd(Local, new TransportAddress([10, 0, (byte)(i >> 8), (byte)i], 1));
        }

        Assert.InRange(_paths.Count, 1, UdpPaths.MaxSeen + 1);
        Assert.True(_paths.TryFind(held, out _, out _));
        Assert.False(_paths.TryFind(seen, out _, out _));
        Assert.NotEqual(seen, _paths.GetOrAdd(Local, Remote.WithPort(1)));

        // Released, it is as any other.
        _paths.Release(held);
        Assert.True(_paths.TryFind(held, out _, out _));
        for (int i = 0; i < 3 * UdpPaths.MaxSeen; i++)
        {
            _ = _paths.GetOrAdd(Local, new TransportAddress([10, 1, (byte)(i >> 8), (byte)i], 1));
        }

        Assert.False(_paths.TryFind(held, out _, out _));
        Assert.InRange(_paths.Count, 1, UdpPaths.MaxSeen);
    }

    [Fact]
    public void Held_twice_and_released_once_it_stays()
    {
        QuicPath path = _paths.GetOrAdd(Local, Remote);
        _paths.Hold(path);
        _paths.Hold(path);
        _paths.Release(path);
        for (int i = 0; i < 2 * UdpPaths.MaxSeen; i++)
        {
            _ = _paths.GetOrAdd(Local, new TransportAddress([10, 0, (byte)(i >> 8), (byte)i], 1));
        }

        Assert.True(_paths.TryFind(path, out _, out _));
    }

    [Fact]
    public void Looking_up_allocates_nothing()
    {
        QuicPath path = _paths.GetOrAdd(Local, Remote);
        Allocations.AssertNone(() =>
        {
            _ = _paths.GetOrAdd(Local, Remote);
            _ = _paths.TryFind(path, out _, out _);
        });
    }
}
