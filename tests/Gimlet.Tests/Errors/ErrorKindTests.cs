using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Gimlet.Errors;
using Gimlet.Signalling;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Errors;

public sealed partial class ErrorKindTests
{
    [Fact]
    public void The_strings_of_the_kinds_are_stable()
    {
        string[] expected =
        [
            "bad-usage", "server-unreachable", "rendezvous-rejected", "rendezvous-no-relay", "peer-offline", "peer-not-reachable", "refused", "reflex-timeout", "punch-failed",
            "port-map-unavailable", "unsupported", "timed-out", "transport", "local-fault",
        ];
        Assert.Equal(expected, Enum.GetValues<GimletErrorKind>().Select(k => k.ToKindString()));
    }

    [Fact]
    public void The_table_of_the_document_has_every_kind_in_its_order_with_its_advice()
    {
        (string Kind, int Status, string Meaning, string Hint)[] rows = [.. ReadTable()];
        Assert.Equal(Enum.GetValues<GimletErrorKind>().Select(k => (k.ToKindString(), k.DefaultHint())), rows.Select(r => (r.Kind, r.Hint)));
        Assert.All(rows, r => Assert.InRange(r.Status, 1, 8));
        Assert.All(rows, r => Assert.EndsWith(".", r.Meaning, StringComparison.Ordinal));
    }

    public static TheoryData<string, GimletErrorKind?, RelayCause> Reasons => new()
    {
        { RejectReason.Offline, GimletErrorKind.PeerOffline, RelayCause.NotIntroduced },
        { RejectReason.Busy, GimletErrorKind.RendezvousRejected, RelayCause.RateLimited },
        { RejectReason.Refused, GimletErrorKind.Refused, RelayCause.NotIntroduced },
        { RejectReason.RateLimited, GimletErrorKind.RendezvousRejected, RelayCause.RateLimited },
        { RejectReason.Unsupported, GimletErrorKind.Unsupported, RelayCause.PeerUnsupported },
        { RejectReason.Self, GimletErrorKind.RendezvousRejected, RelayCause.NotIntroduced },
        { RejectReason.BadRequest, GimletErrorKind.RendezvousRejected, RelayCause.NotIntroduced },
        { RejectReason.TimedOut, GimletErrorKind.TimedOut, RelayCause.NotIntroduced },
        { RejectReason.Glare, null, RelayCause.StillTrying },
        { RejectReason.NoCall, null, RelayCause.StillTrying },
    };

    [Theory]
    [MemberData(nameof(Reasons))]
    public void Every_reason_of_a_rejection_has_its_kind(string reason, GimletErrorKind? kind, RelayCause cause)
    {
        var refusal = CallRefusal.Of(reason, "some detail", Keys.Small.Id);
        Assert.Equal((kind, cause), (refusal.Kind, refusal.Cause));
        Assert.NotEmpty(refusal.Message);
    }

    [Fact]
    public void No_reason_and_no_limit_is_forgotten()
    {
        Assert.Equal(Constants(typeof(RejectReason)), Reasons.Select(r => r.Data.Item1).Order(StringComparer.Ordinal));
        Assert.Equal([RelayLimit.BytesPerSecond, RelayLimit.FramesPerSecond, RelayLimit.Queue], Constants(typeof(RelayLimit)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("from-the-future")]
    [InlineData("\u001b[2J\r\nforged line")]
    public void A_reason_that_nobody_knows_is_told_in_plain_words(string? reason)
    {
        foreach (string? detail in new[] { null, string.Empty, "\u001b[31m\nred", new string('x', 100_000) })
        {
            var refusal = CallRefusal.Of(reason, detail, Keys.Small.Id);
            Assert.Equal(GimletErrorKind.RendezvousRejected, refusal.Kind);
            Assert.DoesNotContain(refusal.Message, char.IsControl);
            Assert.InRange(refusal.Message.Length, 1, 500);
        }
    }

    [Theory]
    [InlineData("the ticket has expired", "new ticket")]
    [InlineData("the one-time ticket was used by another peer", "ticket of your own")]
    [InlineData("this node admits only holders of its tickets, and the call carried no proof", "connect with the ticket")]
    public void A_refusal_for_a_ticket_has_advice_about_tickets(string detail, string advice)
    {
        var refusal = CallRefusal.Of(RejectReason.Refused, detail, Keys.Small.Id);
        Assert.Contains(detail, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(advice, refusal.Hint, StringComparison.Ordinal);
        Assert.Null(CallRefusal.Of(RejectReason.Refused, "words of the application", Keys.Small.Id).Hint);
    }

    [Fact]
    public void A_limit_is_told_with_its_figures()
    {
        var rate = RelayLimitNotice.Of(RelayLimit.BytesPerSecond, 125_000, 17);
        Assert.Equal(GimletErrorKind.RendezvousRejected, rate.Kind);
        Assert.Contains("125000 bytes per second", rate.Message, StringComparison.Ordinal);
        Assert.Contains("17 datagrams", rate.Message, StringComparison.Ordinal);
        var queue = RelayLimitNotice.Of(RelayLimit.Queue, 256, 3);
        Assert.Equal(GimletErrorKind.Transport, queue.Kind);
        Assert.Contains("256", queue.Message, StringComparison.Ordinal);
        var frames = RelayLimitNotice.Of(RelayLimit.FramesPerSecond, 20_000, 5);
        Assert.Equal(GimletErrorKind.RendezvousRejected, frames.Kind);
        Assert.Contains("20000 frames per second", frames.Message, StringComparison.Ordinal);

        // Only what this version does not know is of a later one.
        foreach (string known in Constants(typeof(RelayLimit)))
        {
            Assert.DoesNotContain("newer", RelayLimitNotice.Of(known, 1, 2).Hint, StringComparison.Ordinal);
        }

        foreach (string? limit in new[] { null, "new-limit", "\u001b[2J\n" })
        {
            var unknown = RelayLimitNotice.Of(limit, 1, 2);
            Assert.Equal(GimletErrorKind.RendezvousRejected, unknown.Kind);
            Assert.DoesNotContain(unknown.Message, char.IsControl);
        }
    }

    private static IEnumerable<string> Constants(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!).Order(StringComparer.Ordinal);

    private static IEnumerable<(string Kind, int Status, string Meaning, string Hint)> ReadTable()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Gimlet.slnx")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        Assert.NotNull(folder);
        return Row().Matches(File.ReadAllText(Path.Combine(folder, "docs", "errors.md"))).Select(m => (
            m.Groups["kind"].Value, int.Parse(m.Groups["status"].Value, CultureInfo.InvariantCulture), m.Groups["meaning"].Value, m.Groups["hint"].Value));
    }

    [GeneratedRegex(@"^\| `(?<kind>[^`]+)` \| (?<status>\d+) \| (?<meaning>[^|]+) \| (?<hint>[^|]+) \|\r?$", RegexOptions.ExplicitCapture | RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Row();
}
