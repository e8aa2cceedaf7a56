using Gimlet.Identity;

namespace Gimlet.Worker.Rendezvous;

/// <summary>The URLs of a rendezvous, from the one that was configured.</summary>
internal static class RendezvousAddress
{
    /// <summary>Whether a URL can be a rendezvous.</summary>
    public static bool IsValid(Uri url) =>
        url.IsAbsoluteUri && url.Host.Length > 0 && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeWs || url.Scheme == Uri.UriSchemeWss);

    /// <summary>The Gimlet server at the same place, as nodes name it.</summary>
    public static Uri OfServer(Uri rendezvous) => With(rendezvous, IsSecure(rendezvous) ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, string.Empty, string.Empty);

    /// <summary>Where a worker registers. Its name and its group need no escapes (<see cref="Session.WorkerNames"/>).</summary>
    public static Uri OfWorker(Uri rendezvous, string workerId, string? group) => With(
        rendezvous, IsSecure(rendezvous) ? Uri.UriSchemeWss : Uri.UriSchemeWs, $"/ws/register/{workerId}", group is null ? string.Empty : $"?group={group}");

    /// <summary>Where HTTP clients are told their own address.</summary>
    public static Uri OfOwnAddress(Uri rendezvous) => With(rendezvous, IsSecure(rendezvous) ? Uri.UriSchemeHttps : Uri.UriSchemeHttp, "/ip", string.Empty);

    /// <summary>The host and port that are dialled, as both sides write them.</summary>
    public static string Authority(Uri rendezvous) => Statement.Authority(rendezvous.IdnHost, rendezvous.Port);

    private static bool IsSecure(Uri url) => url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeWss;

    private static Uri With(Uri rendezvous, string scheme, string path, string query) => new UriBuilder(rendezvous)
    {
        Scheme = scheme,
        Port = rendezvous.Port,
        Path = rendezvous.AbsolutePath.TrimEnd('/') + path,
        Query = query,
        Fragment = string.Empty,
    }.Uri;
}
