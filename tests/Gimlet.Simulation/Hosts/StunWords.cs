using System.Text;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Simulation;

/// <summary>One STUN message in a few words, for traces.</summary>
internal static class StunWords
{
    public static string Describe(ReadOnlyMemory<byte> datagram)
    {
        if (!StunMessage.TryParse(datagram.Span, out StunMessage message))
        {
            return string.Empty;
        }

        StringBuilder words = new($"{message.Method} {message.Class}");
        if (message.TryGetUsername(out ReadOnlySpan<byte> username))
        {
            _ = words.Append(" call ..").Append(Encoding.ASCII.GetString(username[^Math.Min(6, username.Length)..]));
        }

        if (message.TryGetGimletNomination(out uint nomination))
        {
            _ = words.Append(" nomination ").Append(nomination);
        }

        if (message.TryGetXorMappedAddress(out Sockets.TransportAddress mapped))
        {
            _ = words.Append(" sees ").Append(mapped);
        }

        return words.ToString();
    }
}
