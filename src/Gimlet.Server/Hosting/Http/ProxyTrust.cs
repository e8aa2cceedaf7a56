using System.Net;
using Gimlet.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Gimlet.Server.Hosting.Http;

/// <summary>Who dialled, and what: as this server sees it, or as proxies say that it is told to trust.</summary>
/// <param name="Remote">The node's address. Behind a proxy that does not name the node's port it has the port of the proxy's connection.</param>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="Host">The Host header.</param>
internal readonly record struct DialledRequest(TransportAddress Remote, string Scheme, string Host);

/// <summary>
/// X-Forwarded-For, -Proto and -Host, believed only as far as they were written by a trusted proxy: the chain is walked from the
/// right, where the nearest proxy wrote, and ends at the first address that is not trusted. Whatever stands left of it is hearsay.
/// </summary>
internal sealed class ProxyTrust(IReadOnlyList<IPNetwork> trusted)
{
    public DialledRequest Read(HttpContext context)
    {
        HttpRequest request = context.Request;
        var remote = new TransportAddress(context.Connection.RemoteIpAddress ?? IPAddress.Loopback, context.Connection.RemotePort);
        string scheme = request.Scheme;
        string host = request.Host.Value ?? "";
        if (trusted.Count == 0 || !IsTrusted(remote))
        {
            return new DialledRequest(remote, scheme, host);
        }

        List<string> chain = Split(request.Headers["X-Forwarded-For"]);
        int hops = 1;
        for (int i = chain.Count - 1; i >= 0 && TryParse(chain[i], remote.Port, out TransportAddress before); i--)
        {
            remote = before;
            if (!IsTrusted(remote))
            {
                break;
            }

            hops++;
        }

        return new DialledRequest(
            remote,
            Pick(request.Headers["X-Forwarded-Proto"], hops) is { } proto && proto is "http" or "https" or "ws" or "wss" ? proto.Replace("ws", "http", StringComparison.Ordinal) : scheme,
            Pick(request.Headers["X-Forwarded-Host"], hops) ?? host);
    }

    private static List<string> Split(StringValues values)
    {
        var parts = new List<string>();
        foreach (string? value in values)
        {
            parts.AddRange((value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }

        return parts;
    }

    // What the outermost trusted proxy wrote: as far from the right as there were trusted hops, or the leftmost where
    // only the outermost one writes this header.
    private static string? Pick(StringValues values, int hops)
    {
        List<string> parts = Split(values);
        return parts.Count == 0 ? null : parts[Math.Max(0, parts.Count - hops)];
    }

    private static bool TryParse(string text, int port, out TransportAddress address)
    {
        if (TransportAddress.TryParse(text, out address))
        {
            return true;
        }

        string bare = text is ['[', .. var inner, ']'] ? inner : text;
        if (IPAddress.TryParse(bare, out IPAddress? ip) && (bare.Contains(':', StringComparison.Ordinal) || bare.Count(static c => c == '.') == 3))
        {
            address = new TransportAddress(ip, port);
            return true;
        }

        return false;
    }

    private bool IsTrusted(TransportAddress address)
    {
        IPAddress ip = address.ToIPAddress();
        foreach (IPNetwork network in trusted)
        {
            if (network.Contains(ip))
            {
                return true;
            }
        }

        return false;
    }
}
