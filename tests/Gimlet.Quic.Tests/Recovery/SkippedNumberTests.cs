using Gimlet.Quic.Recovery;
using Gimlet.Quic.Tests.Recovery.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Recovery;

/// <summary>RFC 9000 section 21.4: a peer that acknowledges what it did not receive.</summary>
public sealed class SkippedNumberTests
{
    [Fact]
    public void Whoever_acknowledges_a_number_that_was_left_out_is_found()
    {
        var random = new Random(1);
        var driver = new RecoveryDriver(random: random.NextBytes);
        long last = -1;
        int skipped = 0;
        for (int i = 0; i < 5000; i++)
        {
            long number = driver.Send();
            if (number != last + 1)
            {
                Assert.Equal(last + 2, number);
                skipped++;
                QuicError error = driver.AckRange(last, number);
                Assert.Equal(TransportErrorCode.ProtocolViolation, error.Code);
                Assert.DoesNotContain(number, driver.Acknowledged);
            }

            Assert.False(driver.Ack(number).IsError);
            last = number;
        }

        // Within 256, then ever further apart.
        Assert.InRange(skipped, 2, 12);
        Assert.Empty(driver.Lost);
    }

    [Fact]
    public void Without_randomness_and_in_a_handshake_no_number_is_left_out()
    {
        var random = new Random(1);
        var driver = new RecoveryDriver(random: random.NextBytes);
        var plain = new RecoveryDriver();
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal(i, driver.Send(space: PacketNumberSpace.Initial));
            Assert.Equal(i, plain.Send());
        }
    }
}
