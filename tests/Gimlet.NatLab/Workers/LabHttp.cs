using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using Gimlet.NatLab.Lab;
using Gimlet.NatLab.Wire;

namespace Gimlet.NatLab.Workers;

/// <summary>Plain HTTP from a lab host: the connection is opened in its namespace and stays there.</summary>
internal static class LabHttp
{
    // Nothing that is asked here does anything but answer.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>The body that a URL answers with 200.</summary>
    /// <exception cref="HttpRequestException">It answers something else, or not at all.</exception>
    internal static async Task<string> GetAsync(LabHost from, Uri url, string? token, CancellationToken cancellation)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, ConnectCallback = (context, _) => ValueTask.FromResult(Connect(from, context.DnsEndPoint)) };
        using var client = new HttpClient(handler) { Timeout = Deadline };
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        using var response = await client.SendAsync(request, cancellation);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellation);
    }

    private static Stream Connect(LabHost from, DnsEndPoint target) => NetworkNamespace.Run(from.Namespace, () =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Connect(IPAddress.Parse(target.Host), target.Port);
            return (Stream)new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    });
}
