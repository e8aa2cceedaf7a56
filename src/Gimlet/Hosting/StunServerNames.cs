using Gimlet.Stun.Client;

namespace Gimlet.Hosting;

/// <summary>The STUN servers that a rendezvous server names in its challenge.</summary>
internal static class StunServerNames
{
    // Primary and alternate port of two addresses; a server that names more gains nothing from it.
    private const int Max = 4;

    /// <summary>Reads <c>host:port</c>; an empty host is the one that was dialled. What cannot be read is left out.</summary>
    public static List<StunServerAddress> Parse(IReadOnlyList<string?> names, Uri dialled)
    {
        var servers = new List<StunServerAddress>();
        foreach (string name in names.OfType<string>().Take(Max))
        {
            string text = name.StartsWith(':') ? dialled.Host + name : name;
            if (StunServerAddress.TryParse(text, out StunServerAddress? server, out _))
            {
                servers.Add(server);
            }
        }

        return servers;
    }
}
