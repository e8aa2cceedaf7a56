using System.Net;
using Microsoft.AspNetCore.Http;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>
/// Who may see all workers and connect them by hand: whoever has the operator's token, and programs on this machine. On this machine means that the connection itself
/// comes from loopback and nothing says that somebody else stands behind it: a proxy on the same machine passes on strangers, and a browser passes on web pages.
/// </summary>
internal sealed class OperatorAccess(string? token)
{
    // What proxies write, and what the framework's own middleware leaves behind where it has believed them.
    private static readonly string[] Forwarded = ["Forwarded", "Via", "X-Real-IP"];
    private static readonly string[] ForwardedPrefixes = ["X-Forwarded-", "X-Original-"];

    private readonly BearerToken? _token = token is null ? null : new BearerToken(token);

    /// <summary>Null when the caller may; otherwise why not.</summary>
    public string? Refuses(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (BearerToken.Of(request) is not null)
        {
            return _token is null ? "This rendezvous has no operator token; ask from its own machine" : _token.Refuses(request) is null ? null : "The token is not the operator's";
        }

        if (context.Connection.RemoteIpAddress is not { } remote || !IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote))
        {
            return "This is for callers on the server's own machine, or with the operator's token (Authorization: Bearer)";
        }

        foreach (string header in request.Headers.Keys)
        {
            if (IsOfProxy(header))
            {
                return $"This came through a proxy ({header}): it takes the operator's token (Authorization: Bearer)";
            }
        }

        // A page that a browser on this machine shows may send requests here: across origins with an Origin, and as its own host when its name was made to
        // point here (DNS rebinding).
        return request.Headers.ContainsKey("Origin") || !IsLocal(request.Host.Host)
            ? "Call it as localhost or by a loopback address, and not from a web page, or with the operator's token (Authorization: Bearer)"
            : null;
    }

    private static bool IsOfProxy(string header) =>
        Array.Exists(Forwarded, name => header.Equals(name, StringComparison.OrdinalIgnoreCase))
        || Array.Exists(ForwardedPrefixes, prefix => header.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    private static bool IsLocal(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
