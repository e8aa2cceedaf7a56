using System.Net;
using System.Net.Sockets;
using Gimlet.Fallbacks;
using Gimlet.Tests.Support;
using static Gimlet.Tests.Support.FakeMetadata;

namespace Gimlet.Tests.Fallbacks;

public sealed class CloudMetadataTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task AWS_is_asked_with_a_token()
    {
        await using FakeMetadata service = new FakeMetadata().With((AwsTokenPath, Ok("the-token=")), (AwsPath, Ok("203.0.113.7")));
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Equal(IPAddress.Parse("203.0.113.7"), result.Address);
        Assert.Contains("aws", result.Explanation, StringComparison.Ordinal);
        string token = service.Requests.Single(r => r.Contains(AwsTokenPath, StringComparison.Ordinal));
        Assert.StartsWith("PUT ", token, StringComparison.Ordinal);
        Assert.Contains("X-aws-ec2-metadata-token-ttl-seconds: ", token, StringComparison.Ordinal);
        Assert.Contains("X-aws-ec2-metadata-token: the-token=\n", service.Requests.Single(r => r.Contains(AwsPath, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(500)]
    public async Task AWS_version_1_is_asked_where_there_are_no_tokens(int status)
    {
        await using FakeMetadata service = new FakeMetadata().With((AwsTokenPath, Status(status)), (AwsPath, Ok("203.0.113.7\n")));
        Assert.Equal(IPAddress.Parse("203.0.113.7"), (await FindAsync(service.Address)).Address);
        Assert.DoesNotContain("metadata-token:", service.Requests.Single(r => r.Contains(AwsPath, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Google_is_asked_with_its_header()
    {
        await using FakeMetadata service = new FakeMetadata().With((GooglePath, Ok("203.0.113.8")));
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Equal(IPAddress.Parse("203.0.113.8"), result.Address);
        Assert.Contains("google", result.Explanation, StringComparison.Ordinal);
        Assert.Contains("Metadata-Flavor: Google\n", service.Requests.Single(r => r.Contains(GooglePath, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Azure_is_asked_with_its_header()
    {
        await using FakeMetadata service = new FakeMetadata().With((AzurePath, Ok(" 203.0.113.9 ")));
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Equal(IPAddress.Parse("203.0.113.9"), result.Address);
        Assert.Contains("azure", result.Explanation, StringComparison.Ordinal);
        Assert.Contains("Metadata: true\n", service.Requests.Single(r => r.Contains(AzurePath, StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("not an address")]
    [InlineData("<html><body>203.0.113.7</body></html>")]
    [InlineData("203.0.113.7 203.0.113.8")]
    [InlineData("203.0.113.7:80")]
    [InlineData("203.0.113")]
    [InlineData("203.0.113.256")]
    [InlineData("203.0.113.0x7")]
    [InlineData("0203.0.113.7")]
    [InlineData("3405803783")]
    [InlineData("2001:db8::1")]
    [InlineData("::ffff:203.0.113.7")]
    [InlineData("10.0.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("172.16.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("0.0.0.0")]
    [InlineData("255.255.255.255")]
    [InlineData("224.0.0.1")]
    [InlineData("\u0000\u0001\u0002")]
    public async Task What_is_not_one_public_IPv4_address_is_not_believed(string body)
    {
        await using FakeMetadata service = new FakeMetadata().With((AwsTokenPath, Ok("t")), (AwsPath, Ok(body)), (GooglePath, Ok(body)), (AzurePath, Ok(body)));
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Null(result.Address);
        Assert.Equal("aws: the answer is not a public IPv4 address; azure: the answer is not a public IPv4 address; google: the answer is not a public IPv4 address", Sorted(result));
    }

    [Theory]
    [InlineData("a token\r\nX-Injected: yes")]
    [InlineData("<html>\n<head>\n</head>\n</html>")]
    [InlineData("\u0000\u007f")]
    [InlineData("t\u00e9")]
    public async Task A_token_that_is_garbage_harms_nothing(string token)
    {
        await using FakeMetadata service = new FakeMetadata().With((AwsTokenPath, Ok(token)), (GooglePath, Ok("nothing")));
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Null(result.Address);
        Assert.DoesNotContain(service.Requests, r => r.Contains("\nX-Injected", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_huge_body_is_not_read_to_its_end()
    {
        // The rest never comes: a client that reads to the end waits until it is told to stop.
        string huge = $"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n{new string('9', 5000)}";
        await using FakeMetadata service = new FakeMetadata { HoldsConnections = true }.With((AwsTokenPath, huge), (AwsPath, huge), (GooglePath, huge), (AzurePath, huge));
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Null(result.Address);
        Assert.DoesNotContain("no answer in time", result.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using FakeMetadata elsewhere = new FakeMetadata().With(("/", Ok("203.0.113.7")));
        string redirect = Status(302, $"Location: {elsewhere.Address}\r\n");
        await using FakeMetadata service = new FakeMetadata().With((AwsTokenPath, redirect), (AwsPath, redirect), (GooglePath, redirect), (AzurePath, redirect));
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Null(result.Address);
        Assert.Contains("answered HTTP 302", result.Explanation, StringComparison.Ordinal);
        Assert.Empty(elsewhere.Requests);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("garbage\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")]
    public async Task A_service_that_does_not_speak_HTTP_harms_nothing(string? answer)
    {
        await using var service = new FakeMetadata { Answer = _ => Task.FromResult(answer) };
        CloudMetadataResult result = await FindAsync(service.Address);
        Assert.Null(result.Address);
        Assert.Equal(3, result.Explanation.Split("; ").Length);
    }

    [Fact]
    public async Task Without_a_service_each_cloud_has_its_reason()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        CloudMetadataResult result = await FindAsync(new Uri($"http://127.0.0.1:{((IPEndPoint)closed.LocalEndPoint!).Port}/"));
        Assert.Null(result.Address);
        foreach (string cloud in new[] { "aws: ", "google: ", "azure: " })
        {
            Assert.Contains(cloud, result.Explanation, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_service_that_is_silent_is_given_up_after_the_timeout()
    {
        var never = new TaskCompletionSource<string?>();
        await using var service = new FakeMetadata { Answer = _ => never.Task };
        using var cloud = new CloudMetadata(service.Address, TimeSpan.FromMilliseconds(300), TimeProvider.System);
        CloudMetadataResult result = await cloud.FindAsync(TestContext.Current.CancellationToken).WaitAsync(Long, TestContext.Current.CancellationToken);
        Assert.Null(result.Address);
        Assert.Equal("aws: no answer in time; azure: no answer in time; google: no answer in time", Sorted(result));
    }

    [Fact]
    public async Task The_first_cloud_that_answers_wins_and_the_slow_ones_are_not_waited_for()
    {
        var never = new TaskCompletionSource<string?>();
        await using var service = new FakeMetadata
        {
            Answer = request => request.Contains(AzurePath, StringComparison.Ordinal) ? Task.FromResult<string?>(Ok("203.0.113.9")) : never.Task,
        };
        Assert.Equal(IPAddress.Parse("203.0.113.9"), (await FindAsync(service.Address)).Address);
    }

    private static string Sorted(CloudMetadataResult result) => string.Join("; ", result.Explanation.Split("; ").Order(StringComparer.Ordinal));

    private static async Task<CloudMetadataResult> FindAsync(Uri service)
    {
        using var cloud = new CloudMetadata(service, Long, TimeProvider.System);
        return await cloud.FindAsync(TestContext.Current.CancellationToken).WaitAsync(Long, TestContext.Current.CancellationToken);
    }
}
