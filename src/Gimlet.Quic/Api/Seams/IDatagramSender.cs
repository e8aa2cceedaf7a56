using System.Net;
using Gimlet.Sockets;

namespace Gimlet.Quic;

/// <summary>
/// The way out for a <see cref="QuicEndpoint"/>: whoever owns the sockets implements it. Methods are called from any thread, for different
/// connections at the same time, with the connection's lock held: they must not block, and must not call into the endpoint, except as said.
/// </summary>
public interface IDatagramSender
{
    /// <summary>Sends datagrams on a path.</summary>
    /// <param name="path">Which way; one that the sender has forgotten is <see cref="DatagramSendResult.Unreachable"/>.</param>
    /// <param name="datagrams">One behind the other.</param>
    /// <param name="segmentSize">The length of each but the last, which may be shorter, in bytes: what UDP segmentation offload takes.</param>
    /// <param name="ecn">How they are to be marked, where the path can.</param>
    /// <param name="sent">How many bytes were taken: the length of some of the datagrams, from the first on.</param>
    /// <returns>
    /// <see cref="DatagramSendResult.WouldBlock"/> stops the connection until <see cref="QuicEndpoint.NotifyWritable"/> is called, then the rest
    /// is tried again. Every other result but <see cref="DatagramSendResult.Sent"/> drops the rest, which counts as lost on the way.
    /// </returns>
    DatagramSendResult Send(QuicPath path, ReadOnlySpan<byte> datagrams, int segmentSize, EcnMark ecn, out int sent);

    /// <summary>A connection uses the path from now on; counted, one <see cref="Release"/> for each.</summary>
    /// <param name="path">Which way.</param>
    void Hold(QuicPath path)
    {
    }

    /// <summary>A connection does not use the path any longer.</summary>
    /// <param name="path">Which way.</param>
    void Release(QuicPath path)
    {
    }

    /// <summary>The peer's address on a path, or null where it has none or the sender does not tell.</summary>
    /// <param name="path">Which way.</param>
    IPEndPoint? GetRemoteEndPoint(QuicPath path) => null;
}
