using Xunit;

namespace Gimlet.NatLab.Cells;

/// <summary>
/// How the lab reads what the command line writes. These need neither root nor tools, so this project has something to run everywhere: a test run in
/// which every test is skipped counts as failed.
/// </summary>
public sealed class GimletEventTests
{
    [Fact]
    public void A_line_of_the_command_line_is_read()
    {
        var read = GimletEvent.Parse("""{"event":"connected","peer":"abc","path":null,"elapsed_ms":85.5}""");

        Assert.NotNull(read);
        Assert.Equal("connected", read.Name);
        Assert.Equal("abc", read.Text("peer"));
        Assert.Null(read.Text("path"));
        Assert.Null(read.Text("absent"));
        Assert.Equal(85.5, read.Number("elapsed_ms"));
    }

    [Theory]
    [InlineData("peer")]
    [InlineData("path")]
    [InlineData("absent")]
    public void What_is_no_number_is_named(string field)
    {
        var read = GimletEvent.Parse("""{"event":"connected","peer":"abc","path":null}""")!;

        Assert.Contains(field, Assert.Throws<KeyNotFoundException>(() => read.Number(field)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("connected")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"event":1}""")]
    [InlineData("""{"event":"connected" """)]
    public void What_is_no_event_is_none(string line) => Assert.Null(GimletEvent.Parse(line));
}
