using Gimlet.Server.Access;
using Microsoft.AspNetCore.Http;

namespace Gimlet.Server.Workers.Hosting;

/// <summary>A token in <c>Authorization: Bearer</c> (RFC 6750 section 2.1), compared in constant time.</summary>
internal sealed class BearerToken(string token)
{
    private const string Scheme = "Bearer ";

    private readonly TokenAccess _access = new(token.Trim());

    /// <summary>Null when the request has the token; otherwise why not.</summary>
    public string? Refuses(HttpRequest request) => _access.Refuses(default, Of(request));

    /// <summary>What the request brings as its token; null for none.</summary>
    public static string? Of(HttpRequest request)
    {
        string header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : null;
    }
}
