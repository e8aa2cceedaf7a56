using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire.Support;

/// <summary>Connection ids from text.</summary>
internal static class Ids
{
    public static ConnectionId Hex(string text) => new(Convert.FromHexString(text));
}
