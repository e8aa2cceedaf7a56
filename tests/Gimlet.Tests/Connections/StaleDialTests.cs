using Gimlet.Connections;
using Gimlet.Quic;

namespace Gimlet.Tests.Connections;

/// <summary>What is left of an older connection is dialled again, and not for ever.</summary>
public sealed class StaleDialTests
{
    [Fact]
    public void A_reset_and_a_connection_that_gave_way_are_stale_and_other_ends_are_not()
    {
        Assert.True(EndText.IsStale(new QuicException(QuicErrorKind.StatelessReset, "forgotten")));
        foreach (long code in new[] { CloseCodes.Superseded, CloseCodes.Restarted })
        {
            Assert.True(EndText.IsStale(Aborted(code)));
        }

        foreach (long code in new[] { CloseCodes.Normal, CloseCodes.NobodyAccepts, CloseCodes.WrongPeer, CloseCodes.NoCommonPath })
        {
            Assert.False(EndText.IsStale(Aborted(code)));
        }

        Assert.False(EndText.IsStale(new QuicException(QuicErrorKind.ConnectionTimeout, "silence")));
    }

    [Theory]
    [InlineData(null, 3)]
    [InlineData(1, 1)]
    [InlineData(7, 7)]
    public void A_dial_gives_up_with_the_third_stale_connection_where_nothing_else_is_said(int? option, int attempts)
    {
        ConnectOptions options = option is { } count ? new ConnectOptions { MaxStaleConnections = count } : new ConnectOptions();
        options.Validate();
        var dial = new Dial(default, default, "test", PathPolicy.RelayThenDirect, 0) { MaxStaleConnections = options.MaxStaleConnections };
        int made = 1;
        while (dial.TakeStale())
        {
            made++;
        }

        Assert.Equal(attempts, made);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(101)]
    public void A_number_that_makes_no_sense_is_named(int count)
    {
        GimletException e = Assert.Throws<GimletException>(new ConnectOptions { MaxStaleConnections = count }.Validate);
        Assert.Equal(GimletErrorKind.BadUsage, e.Kind);
        Assert.Contains($"{count}", e.Message, StringComparison.Ordinal);
    }

    private static QuicException Aborted(long code) => new(QuicErrorKind.ConnectionAborted, "closed") { ApplicationErrorCode = code };
}
