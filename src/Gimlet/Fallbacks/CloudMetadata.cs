using System.Net;
using System.Net.Sockets;
using System.Text;
using Gimlet.Sockets;

namespace Gimlet.Fallbacks;

/// <summary>
/// Asks the cloud's metadata service for the public address of this machine: AWS (IMDSv2, then v1), Google and Azure at once,
/// the first usable answer wins. Never throws for a network reason; an answer is believed only if it is one public IPv4 address.
/// </summary>
internal sealed class CloudMetadata : IDisposable
{
    /// <summary>Where all three clouds answer.</summary>
    public static readonly Uri DefaultBaseAddress = new("http://169.254.169.254/");

    // An address has 15 characters and AWS's token 56 today; what is much longer is an error page.
    private const int MaxAnswerBytes = 256;

    private readonly SocketsHttpHandler _handler;
    private readonly HttpClient _http;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;

    /// <summary>Makes a client.</summary>
    /// <param name="baseAddress">Where the service answers; tests name a loopback address.</param>
    /// <param name="timeout">The bound on the whole search.</param>
    /// <param name="time">The clock of the bound.</param>
    public CloudMetadata(Uri baseAddress, TimeSpan timeout, TimeProvider time)
    {
        _timeout = timeout;
        _time = time;

        // No proxy: the service is on the link, and a proxy would answer for its own machine. No redirects: none is legitimate here.
        _handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = timeout };
        _http = new HttpClient(_handler, disposeHandler: false) { BaseAddress = baseAddress, Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Asks all clouds at once.</summary>
    /// <param name="cancellationToken">Ends the search early.</param>
    /// <returns>The address and who told it, or in words what each cloud answered.</returns>
    public async Task<CloudMetadataResult> FindAsync(CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(_timeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        List<Task<(string Cloud, IPAddress? Address, string Problem)>> asked =
        [
            AskAsync("aws", AskAwsAsync, linked.Token),
            AskAsync("google", ct => GetAsync("computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip", "Metadata-Flavor", "Google", ct), linked.Token),
            AskAsync("azure", ct => GetAsync("metadata/instance/network/interface/0/ipv4/ipAddress/0/publicIpAddress?api-version=2021-02-01&format=text", "Metadata", "true", ct), linked.Token),
        ];
        var problems = new StringBuilder();
        CloudMetadataResult? found = null;
        await foreach (Task<(string Cloud, IPAddress? Address, string Problem)> answer in Task.WhenEach(asked).ConfigureAwait(false))
        {
            (string cloud, IPAddress? address, string problem) = await answer.ConfigureAwait(false);
            if (address is not null && found is null)
            {
                found = new CloudMetadataResult(address, $"told by the metadata service of {cloud}");
                await linked.CancelAsync().ConfigureAwait(false);
            }

            _ = problems.Append(problems.Length > 0 ? "; " : string.Empty).Append(cloud).Append(": ").Append(problem);
        }

        return found ?? new CloudMetadataResult(null, problems.ToString());
    }

    public void Dispose()
    {
        _http.Dispose();
        _handler.Dispose();
    }

    private static async Task<(string Cloud, IPAddress? Address, string Problem)> AskAsync(
        string cloud, Func<CancellationToken, Task<string>> ask, CancellationToken cancellationToken)
    {
        try
        {
            string text = await ask(cancellationToken).ConfigureAwait(false);
            return TryReadPublicIPv4(text, out IPAddress? address)
                ? (cloud, address, "answered")
                : (cloud, null, "the answer is not a public IPv4 address");
        }
        catch (OperationCanceledException)
        {
            return (cloud, null, "no answer in time");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException)
        {
            return (cloud, null, e is HttpRequestException { StatusCode: { } status } ? $"answered HTTP {(int)status}" : e.Message);
        }
    }

    private static bool TryReadPublicIPv4(string text, out IPAddress? address)
    {
        string trimmed = text.Trim();
        // The comparison keeps out what only the parser takes for an address, such as 1.2.3.0x4 and 010.1.1.1.
        if (!IPAddress.TryParse(trimmed, out address) || address.AddressFamily != AddressFamily.InterNetwork || address.ToString() != trimmed)
        {
            address = null;
            return false;
        }

        var candidate = new TransportAddress(address, 1);
        return Candidates.CandidatePolicy.MayAdvertise(candidate, allowLoopback: false) && !candidate.IsPrivate;
    }

    private async Task<string> AskAwsAsync(CancellationToken cancellationToken)
    {
        const string AddressPath = "latest/meta-data/public-ipv4";
        string? token = null;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, "latest/api/token");
            request.Headers.Add("X-aws-ec2-metadata-token-ttl-seconds", "60");
            token = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            // IMDSv1 only: it knows no tokens and answers the plain request below.
        }

        token = token?.Trim();
        if (token is not null && token.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            // An error page, or worse: a line break in it would become a header of our next request.
            throw new InvalidOperationException("the token is not one that can be sent back");
        }

        return token is null
            ? await GetAsync(AddressPath, null, null, cancellationToken).ConfigureAwait(false)
            : await GetAsync(AddressPath, "X-aws-ec2-metadata-token", token, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> GetAsync(string path, string? header, string? value, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (header is not null)
        {
            request.Headers.Add(header, value);
        }

        return await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        _ = response.EnsureSuccessStatusCode();
        using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] buffer = new byte[MaxAnswerBytes];
        int length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return Encoding.ASCII.GetString(buffer, 0, length);
    }
}

/// <summary>What the clouds answered.</summary>
/// <param name="Address">The public address, or null.</param>
/// <param name="Explanation">Who told it, or why nobody did.</param>
internal sealed record CloudMetadataResult(IPAddress? Address, string Explanation);
