using Gimlet.Calls;
using Gimlet.Candidates;
using Gimlet.Sockets;

namespace Gimlet.Tests.Calls;

public sealed class PathSelectionTests
{
    [Theory]
    [InlineData("203.0.113.1:1", 40, "203.0.113.2:1", 40, false)]
    [InlineData("203.0.113.1:1", 35, "203.0.113.2:1", 40, false)] // within the hysteresis
    [InlineData("203.0.113.1:1", 34, "203.0.113.2:1", 40, true)]
    [InlineData("[2001:db8::1]:1", 37, "203.0.113.2:1", 40, true)] // IPv6 counts as 3 ms better
    [InlineData("[2001:db8::1]:1", 38, "203.0.113.2:1", 40, false)]
    [InlineData("203.0.113.1:1", 32, "[2001:db8::2]:1", 40, false)]
    [InlineData("10.0.0.1:1", 44, "203.0.113.2:1", 40, true)] // as fast, and inside the site
    [InlineData("10.0.0.1:1", 46, "203.0.113.2:1", 40, false)]
    [InlineData("203.0.113.1:1", 36, "10.0.0.2:1", 40, false)]
    public void The_challenger_wins_only_when_it_is_clearly_better(string challenger, int challengerMs, string current, int currentMs, bool expected) =>
        Assert.Equal(expected, PathSelection.IsBetter(Make(challenger, challengerMs), Make(current, currentMs)));

    [Fact]
    public void No_two_pairs_are_each_better_than_the_other()
    {
        string[] addresses = ["203.0.113.1:1", "10.0.0.1:1", "[2001:db8::1]:1", "[fd00::1]:1"];
        foreach (string a in addresses)
        {
            foreach (string b in addresses)
            {
                for (int x = 0; x < 30; x++)
                {
                    for (int y = 0; y < 30; y++)
                    {
                        Assert.False(PathSelection.IsBetter(Make(a, x), Make(b, y)) && PathSelection.IsBetter(Make(b, y), Make(a, x)), $"{a} {x} {b} {y}");
                    }
                }
            }
        }
    }

    private static CandidatePair Make(string address, int milliseconds) =>
        new(new Candidate(CandidateKind.Host, TransportAddress.Parse(address))) { RoundTripTime = TimeSpan.FromMilliseconds(milliseconds) };
}
