namespace Gimlet.Server.Relay;

/// <summary>A frame on its way to a receiver, in a buffer of <see cref="RelayBuffers"/> that goes with it.</summary>
/// <param name="Buffer">The buffer; the frame is at its beginning.</param>
/// <param name="Length">The frame's length in bytes.</param>
/// <param name="Datagrams">How many datagrams are in it.</param>
/// <param name="IsSingle">Whether it has the form for one datagram, not that of a batch.</param>
internal readonly record struct RelayedFrame(byte[] Buffer, int Length, int Datagrams, bool IsSingle)
{
    /// <summary>The peer in its header.</summary>
    public PeerId Peer => new(Buffer.AsSpan(1, PeerId.Size));

    public ReadOnlyMemory<byte> Bytes => Buffer.AsMemory(0, Length);
}
