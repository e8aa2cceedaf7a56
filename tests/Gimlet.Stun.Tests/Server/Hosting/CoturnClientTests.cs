using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Stun.Tests.Server.Hosting;

/// <summary>The clients of coturn (Debian's package "coturn"), foreign code that judges our answers.</summary>
public sealed partial class CoturnClientTests
{
    [Fact]
    public async Task Stunclient_gets_its_address_over_IPv4()
    {
        await using StunServer server = StunServer.Start(new StunServerOptions { Listen = StunServerOptions.EveryAddress(0) });
        string output = await RunAsync("turnutils_stunclient", "-p", Port(server), "127.0.0.2");
        Assert.Matches(@"UDP reflexive addr: 127\.0\.0\.\d+:\d+", output);
        Assert.DoesNotContain("error", output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Stunclient_gets_its_address_over_IPv6()
    {
        await using StunServer server = StunServer.Start(new StunServerOptions { Listen = StunServerOptions.EveryAddress(0) });
        if (!server.EndPoints.Any(e => e.IsIPv6))
        {
            Assert.Skip("This machine has no IPv6.");
        }

        Assert.Matches(@"UDP reflexive addr: ::1:\d+", await RunAsync("turnutils_stunclient", "-p", Port(server), "::1"));
    }

    [Fact]
    public async Task Stunclient_walks_through_behaviour_discovery()
    {
        // It asks for the other address and port at another port of its own (RESPONSE-PORT), then the same with PADDING.
        await using StunServer server = StunServer.Start(StunServerDiscoveryTests.TwoAddresses());
        string output = await RunAsync("turnutils_stunclient", "-p", Port(server), "127.0.0.1");
        Assert.Contains($"Other addr: : {server.AlternateEndPoints[1]}", output, StringComparison.Ordinal);
        Assert.Contains($"Response origin: : {server.AlternateEndPoints[1]}", output, StringComparison.Ordinal);
        Assert.Contains("RFC 5780 response 3", output, StringComparison.Ordinal);
        Assert.Equal(3, server.Counters.Answered);
    }

    [Theory]
    [InlineData("-m", "NAT with Endpoint Independent Mapping!")]
    [InlineData("-f", "NAT with Endpoint Independent Filtering!")]
    [InlineData("-mP", "NAT with Endpoint Independent Mapping!")]
    [InlineData("-fP", "NAT with Endpoint Independent Filtering!")]
    public async Task Natdiscovery_finds_no_NAT_on_loopback(string option, string verdict)
    {
        await using StunServer server = StunServer.Start(StunServerDiscoveryTests.TwoAddresses());
        string output = await RunAsync("turnutils_natdiscovery", option, "-L", "127.0.0.1", "-p", Port(server), "127.0.0.1");
        Assert.Contains("No NAT!", output, StringComparison.Ordinal);
        Assert.Contains(verdict, output, StringComparison.Ordinal);
        Assert.DoesNotContain("timeout", output, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(2, server.Counters.Answered);
    }

    [Fact]
    public async Task Natdiscovery_meets_a_server_without_a_second_address_and_says_nothing_wrong()
    {
        await using StunServer server = StunServer.Start(new StunServerOptions { Listen = StunServerOptions.EveryAddress(0) });
        string output = await RunAsync("turnutils_natdiscovery", "-m", "-L", "127.0.0.1", "-p", Port(server), "127.0.0.1");
        Assert.Contains("No NAT!", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Dependent Mapping!\n=", output.Replace("Independent", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static string Port(StunServer server) => server.EndPoints[0].Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(20));
        Process? started;
        try
        {
            started = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            });
        }
        catch (Win32Exception)
        {
            Assert.Skip($"{program} is not installed (Debian's package coturn).");
            throw;
        }

        using Process process = started!;
        try
        {
            Task<string> error = process.StandardError.ReadToEndAsync(deadline.Token);
            string output = await process.StandardOutput.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            Assert.Equal(string.Empty, await error);
            return Times().Replace(output, string.Empty);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>The seconds since start at the beginning of each line.</summary>
    [GeneratedRegex(@"^\d+: ", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Times();
}
