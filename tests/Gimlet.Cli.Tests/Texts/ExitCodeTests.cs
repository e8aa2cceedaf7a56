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
        { "rendezvous-no-relay", 7 },
        { "port-map-unavailable", 1 },
        { "unsupported", 1 },
        { "timed-out", 6 },
        { "transport", 1 },
        { "local-fault", 8 },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Every_kind_of_error_has_its_code(string kind, int code) =>
        Assert.Equal(code, ExitCodes.Of(Enum.GetValues<GimletErrorKind>().Single(k => k.ToKindString() == kind), isDirectRequired: false));

    [Fact]
    public void Who_takes_part_in_no_direct_path_is_why_there_is_none_where_one_is_demanded()
    {
        Assert.Equal(7, ExitCodes.Of(GimletErrorKind.Unsupported, isDirectRequired: true));
        Assert.Equal(1, ExitCodes.Of(GimletErrorKind.Transport, isDirectRequired: true));
    }

    [Fact]
    public void No_kind_is_forgotten()
    {
        IEnumerable<string> kinds = Enum.GetValues<GimletErrorKind>().Select(static k => k.ToKindString());
        Assert.Equal(kinds.Order(StringComparer.Ordinal), Table.Select(static row => row.Data.Item1).Order(StringComparer.Ordinal));
    }
}
