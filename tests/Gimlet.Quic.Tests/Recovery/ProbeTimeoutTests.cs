using Gimlet.Quic.Paths;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using Gimlet.Quic.Wire;
using static Gimlet.Quic.Tests.Recovery.Support.RecoveryDriver;

namespace Gimlet.Quic.Tests.Recovery;

public sealed class ProbeTimeoutTests
{
    [Fact]
    public void The_first_probe_of_a_handshake_is_after_one_second_and_each_next_one_after_twice_the_time()
    {
        var driver = new RecoveryDriver(EndpointRole.Client);
        driver.Loss.IsHandshakeConfirmed = false;
        TimeSpan sentAt = driver.Now;
        _ = driver.Send(space: PacketNumberSpace.Initial);

        // 333 + 4 * 166.5 = 999 ms.
        double expected = 999;
        for (int i = 0; i < 6; i++)
        {
            Assert.Equal(new ProbeRequest(PacketNumberSpace.Initial, new PathId(0)), driver.RunTimer());
            Assert.Equal(sentAt + Ms(expected), driver.Now);
            Assert.Equal(i + 1, driver.Path.PtoCount);
            Assert.False(driver.Loss.HandleTimeout(driver.Now, out _));
            sentAt = driver.Now;
            _ = driver.Send(space: PacketNumberSpace.Initial);
            expected *= 2;
        }
    }

    [Fact]
    public void A_probe_that_could_not_be_sent_is_not_due_again_at_once()
    {
        var driver = new RecoveryDriver();
        driver.Sample(100);
        _ = driver.Send();
        _ = driver.RunTimer();
        TimeSpan first = driver.Now;
        Assert.Equal(first + Ms(2 * (100 + 200 + 25)), driver.Loss.NextTimeout);
    }

    [Fact]
    public void The_backoff_has_an_end()
    {
        var driver = new RecoveryDriver();
        _ = driver.Send();
        for (int i = 0; i < 100; i++)
        {
            Assert.NotNull(driver.RunTimer());
        }

        Assert.Equal(100, driver.Path.PtoCount);
        Assert.Equal(driver.Now + (Ms(999 + 25) * 1024), driver.Loss.NextTimeout);
    }

    [Fact]
    public void An_acknowledgement_takes_the_backoff_back()
    {
        var driver = new RecoveryDriver();
        driver.Sample(100);
        _ = driver.Send();
        _ = driver.RunTimer();
        long probe = driver.Send();
        driver.Advance(100);
        _ = driver.Ack(probe);
        Assert.Equal(0, driver.Path.PtoCount);
    }

    [Fact]
    public void A_client_keeps_the_backoff_until_the_server_knows_its_address()
    {
        var driver = new RecoveryDriver(EndpointRole.Client);
        driver.Loss.IsHandshakeConfirmed = false;
        _ = driver.Send(space: PacketNumberSpace.Initial);
        _ = driver.RunTimer();
        _ = driver.AckIn(PacketNumberSpace.Initial, TimeSpan.Zero, null, 0);
        Assert.Equal(1, driver.Path.PtoCount);
    }

    [Fact]
    public void A_client_with_nothing_in_flight_still_probes_lest_the_server_waits_for_ever()
    {
        var driver = new RecoveryDriver(EndpointRole.Client);
        driver.Loss.IsHandshakeConfirmed = false;
        long number = driver.Send(space: PacketNumberSpace.Initial);
        driver.Advance(100);
        _ = driver.AckIn(PacketNumberSpace.Initial, TimeSpan.Zero, null, number);
        Assert.False(driver.Loss.HasAckElicitingInFlight(PacketNumberSpace.Initial));
        TimeSpan acknowledgedAt = driver.Now;
        Assert.Equal(new ProbeRequest(PacketNumberSpace.Initial, new PathId(0)), driver.RunTimer());
        Assert.Equal(acknowledgedAt + Ms(300), driver.Now);

        driver.Loss.HasHandshakeKeys = true;
        TimeSpan probedAt = driver.Now;
        Assert.Equal(new ProbeRequest(PacketNumberSpace.Handshake, new PathId(0)), driver.RunTimer());
        Assert.Equal(probedAt + Ms(600), driver.Now);

        driver.Loss.IsPeerAddressValidated = true;
        Assert.Null(driver.Loss.NextTimeout);
    }

    [Fact]
    public void A_server_has_no_such_timer()
    {
        var driver = new RecoveryDriver(EndpointRole.Server);
        driver.Loss.IsHandshakeConfirmed = false;
        long number = driver.Send(space: PacketNumberSpace.Initial);
        _ = driver.AckIn(PacketNumberSpace.Initial, TimeSpan.Zero, null, number);
        Assert.Null(driver.Loss.NextTimeout);
    }

    [Fact]
    public void A_server_that_may_not_send_has_no_probe_timeout()
    {
        var driver = new RecoveryDriver(EndpointRole.Server);
        _ = driver.Send(space: PacketNumberSpace.Initial);
        Assert.NotNull(driver.Loss.NextTimeout);
        driver.Path.IsAmplificationLimited = true;
        Assert.Null(driver.Loss.NextTimeout);
    }

    [Fact]
    public void Application_packets_are_not_probed_before_the_handshake_is_confirmed()
    {
        var driver = new RecoveryDriver(EndpointRole.Server);
        driver.Loss.IsHandshakeConfirmed = false;
        _ = driver.Send();
        Assert.Null(driver.Loss.NextTimeout);
        _ = driver.Send(space: PacketNumberSpace.Handshake);
        Assert.Equal(PacketNumberSpace.Handshake, driver.RunTimer()!.Value.Space);
        driver.Loss.DiscardSpace(PacketNumberSpace.Handshake);
        Assert.Null(driver.Loss.NextTimeout);
        driver.Loss.IsHandshakeConfirmed = true;
        Assert.Equal(PacketNumberSpace.Application, driver.RunTimer()!.Value.Space);
    }

    [Fact]
    public void The_space_that_was_sent_in_first_is_probed()
    {
        var driver = new RecoveryDriver(EndpointRole.Server);
        _ = driver.Send(space: PacketNumberSpace.Handshake);
        driver.Advance(5);
        _ = driver.Send(space: PacketNumberSpace.Initial);
        Assert.Equal(PacketNumberSpace.Handshake, driver.RunTimer()!.Value.Space);
    }

    [Fact]
    public void Loss_by_age_comes_before_a_probe()
    {
        var driver = new RecoveryDriver();
        driver.Sample(80);
        _ = driver.Send();
        long second = driver.Send();
        _ = driver.Send();
        driver.Advance(80);
        _ = driver.Ack(second);
        driver.Advance(10_000);
        Assert.False(driver.Loss.HandleTimeout(driver.Now, out _));
        Assert.Single(driver.Lost);
        Assert.True(driver.Loss.HandleTimeout(driver.Now, out _));
        Assert.Equal(1, driver.Path.PtoCount);
    }

    [Fact]
    public void The_period_has_the_peers_delay_for_application_packets_only_and_no_less_than_a_tick_of_variation()
    {
        var driver = new RecoveryDriver();
        Assert.Equal(Ms(999), driver.Path.PtoPeriod(PacketNumberSpace.Initial, Ms(25)));
        Assert.Equal(Ms(1024), driver.Path.PtoPeriod(PacketNumberSpace.Application, Ms(25)));
        for (int i = 0; i < 60; i++)
        {
            driver.Sample(10);
        }

        Assert.Equal(Ms(11), driver.Path.PtoPeriod(PacketNumberSpace.Handshake, Ms(25)));
    }
}
