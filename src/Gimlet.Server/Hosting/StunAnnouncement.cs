using Gimlet.Sockets;
using Gimlet.Stun.Server.Hosting;

namespace Gimlet.Server.Hosting;

/// <summary>
/// What the challenge tells nodes to ask. A server on every address is where it was dialled; one that is bound to certain addresses names
/// them, by the name the internet knows them under.
/// </summary>
internal static class StunAnnouncement
{
    public static IReadOnlyList<string> Of(StunServer server, StunServerOptions options)
    {
        var announced = new List<string>();
        foreach (TransportAddress endPoint in server.EndPoints.Concat(server.AlternateEndPoints))
        {
            string text = Describe(endPoint, options);
            if (!announced.Contains(text))
            {
                announced.Add(text);
            }
        }

        return announced;
    }

    private static string Describe(TransportAddress endPoint, StunServerOptions options)
    {
        if (endPoint.IsUnspecified)
        {
            return $":{endPoint.Port}";
        }

        return options.PublicAddresses.TryGetValue(endPoint.ToIPAddress(), out System.Net.IPAddress? known)
            ? new TransportAddress(known, endPoint.Port).ToString()
            : endPoint.ToString();
    }
}
