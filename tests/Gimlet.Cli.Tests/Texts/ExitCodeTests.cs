using Gimlet.Cli.Running;

namespace Gimlet.Cli.Tests.Texts;

public sealed class ExitCodeTests
{
    /// <summary>
    /// The table that scripts rely on: 2 bad usage, 3 server unreachable, 4 peer unknown or offline, 5 refused, 6 timed out, 7 no direct path,
    /// 8 local fault, 1 anything else.
    /// </summary>
    public static TheoryData<string, int> Table => new()
    {
        { "bad-usage", 2 },
        { "server-unreachable", 3 },
        { "rendezvous-rejected", 5 },
        { "peer-offline", 4 },
        { "peer-not-reachable", 6 },
        { "refused", 5 },
        { "reflex-timeout", 6 },
        { "punch-failed", 7 },
        { "unsupported", 7 },
        { "timed-out", 6 },
        { "transport", 1 },
        { "local-fault", 8 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Every_kind_of_error_has_its_code(string kind, int code) =>
        Assert.Equal(code, ExitCodes.Of(Enum.GetValues<GimletErrorKind>().Single(k => k.ToKindString() == kind)));

    [Fact]
    public void No_kind_is_forgotten()
    {
        IEnumerable<string> kinds = Enum.GetValues<GimletErrorKind>().Select(static k => k.ToKindString());
        Assert.Equal(kinds.Order(StringComparer.Ordinal), Table.Select(static row => row.Data.Item1).Order(StringComparer.Ordinal));
    }
}
