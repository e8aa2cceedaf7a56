using Gimlet.Quic.Protection;

namespace Gimlet.Quic.Tests.Protection.Support;

internal static class OpenedPacketExtensions
{
    extension(OpenedPacket packet)
    {
        public bool IsOpened => packet.Result == OpenResult.Opened;
    }
}
