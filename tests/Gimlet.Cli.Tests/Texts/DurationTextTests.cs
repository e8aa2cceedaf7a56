using Gimlet.Cli.Options;

namespace Gimlet.Cli.Tests.Texts;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("400ms", 400)]
    [InlineData("2s", 2000)]
    [InlineData("0.5s", 500)]
    [InlineData("1M", 60_000)]
    public void A_duration_has_a_unit(string text, double milliseconds) => Assert.Equal(milliseconds, DurationText.ReadWithUnit(text).TotalMilliseconds);

    [Theory]
    [InlineData("10", 10_000)]
    [InlineData("1.5", 1500)]
    [InlineData("400ms", 400)]
    public void Seconds_need_none(string text, double milliseconds) => Assert.Equal(milliseconds, DurationText.ReadSeconds(text).TotalMilliseconds);

    [Theory]
    [InlineData("400")]
    [InlineData("ms")]
    [InlineData("-1s")]
    [InlineData("0s")]
    [InlineData("2h")]
    [InlineData("61m")]
    [InlineData("1e9s")]
    [InlineData("")]
    public void Anything_else_is_none(string text) => Assert.Throws<FormatException>(() => DurationText.ReadWithUnit(text));

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("soon")]
    [InlineData("99999")]
    public void Nor_are_these_seconds(string text) => Assert.Throws<FormatException>(() => DurationText.ReadSeconds(text));
}
