using Gimlet.Cli.Options;

namespace Gimlet.Cli.Tests.Texts;

public sealed class TicketTextTests
{
    [Theory]
    [InlineData("once", true, null)]
    [InlineData("90s", false, 90)]
    [InlineData("30m", false, 1800)]
    [InlineData("12h", false, 43_200)]
    [InlineData("7d", false, 604_800)]
    [InlineData("once,30m", true, 1800)]
    [InlineData("30m, once", true, 1800)]
    public void It_is_read(string text, bool once, int? seconds)
    {
        TicketOptions ticket = TicketText.Read(text);

        Assert.Equal((once, seconds), (ticket.OneTime, (int?)ticket.Lifetime?.TotalSeconds));
    }

    [Theory]
    [InlineData("")]
    [InlineData("twice")]
    [InlineData("once,once")]
    [InlineData("30m,1h")]
    [InlineData("once,30m,1h")]
    [InlineData("30")]
    [InlineData("m")]
    [InlineData("0m")]
    [InlineData("-1m")]
    [InlineData("1.5h")]
    [InlineData("367d")]
    [InlineData("4294967295d")]
    [InlineData("30m,")]
    public void Anything_else_is_not(string text) => Assert.Throws<FormatException>(() => TicketText.Read(text));
}
