using Gimlet.Quic.Frames;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Endpoints;

/// <summary>
/// An Initial packet with nothing but CONNECTION_CLOSE: how a server refuses without keeping anything. RFC 9000 section 5.2.2 lets a server that
/// does not want a connection answer so, with CONNECTION_REFUSED.
/// </summary>
internal static class RefusalAnswer
{
    /// <summary>
    /// The most bytes that <see cref="Write"/> writes: two ids of 20, header, frame and tag, far below the 3 x 1200 that a client's Initial
    /// allows.
    /// </summary>
    public const int MaxLength = 128;

    // The first packet of a connection that never goes on.
    private const long PacketNumber = 0;
    private const int PacketNumberLength = 1;

    /// <summary>Writes the datagram.</summary>
    /// <param name="destination">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="provider">Protects it.</param>
    /// <param name="clientDestination">The Destination Connection ID of the client's Initial: keys derive from it, and it serves as our own id.</param>
    /// <param name="clientSource">The client's id.</param>
    /// <param name="code">CONNECTION_REFUSED, or INVALID_TOKEN (RFC 9000 section 8.1.2).</param>
    /// <returns>How many bytes were written.</returns>
    public static int Write(
        Span<byte> destination, IProtectionProvider provider, in ConnectionId clientDestination, in ConnectionId clientSource, TransportErrorCode code)
    {
        PacketLayout layout = LongHeader.Write(
            destination, PacketType.Initial, clientSource, clientDestination, token: default, PacketNumber, PacketNumberLength);
        int payload = layout.PayloadOffset;
        var writer = new WireWriter(destination[payload..MaxLength]);
        if (!ConnectionCloseFrame.ForTransport(code, FrameType.Padding, reasonUtf8: default).TryWrite(ref writer))
        {
            throw new InvalidOperationException("A CONNECTION_CLOSE without a reason always fits.");
        }

        using var secrets = InitialSecrets.Derive(clientDestination);
        using var sealer = new PacketSealer(provider, PacketCipher.Aes128GcmSha256, secrets.Server, AeadLimits.Gcm);
        return sealer.Seal(destination, layout, PacketNumber, writer.Position);
    }
}
