using Gimlet.Quic.Streams;

namespace Gimlet.Quic.Tests.Streams.Support;

internal static class QuicStreamStateExtensions
{
    extension(QuicStreamState stream)
    {
        /// <summary>How many bytes a write would take now.</summary>
        public int WriteRoom => stream.Sending?.Room ?? 0;

        /// <summary>
        /// "Data Recvd" or "Reset Recvd": the peer has everything, or knows that it will not come. Also when the connection is closed.
        /// </summary>
        public bool IsSendDone => stream.Sending?.IsTerminal ?? true;
    }
}
