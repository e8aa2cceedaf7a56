using System.Text.RegularExpressions;
using Gimlet.Quic.Endpoints;
using Gimlet.Quic.Hosting;

namespace Gimlet.Quic.Tests.Api;

public sealed partial class MetricNameTests
{
    [Fact]
    public void The_values_of_counters_are_the_names_of_the_enums()
    {
        Assert.Equal(Enum.GetNames<DropReason>().Select(ToKebab), QuicMetrics.DropNames);
        Assert.Equal(Enum.GetNames<AnswerKind>().Select(ToKebab), QuicMetrics.AnswerNames);
    }

    private static string ToKebab(string name) => Capital().Replace(name, "-$0").ToLowerInvariant();

    [GeneratedRegex("(?<=.)[A-Z]", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Capital();
}
