namespace Gimlet.Quic.Hosting;

/// <summary>The buffer that datagrams are written into before they are sent: one per thread, so that an idle connection holds none.</summary>
internal static class TransmitBuffer
{
    /// <summary>The most datagrams of one send: UDP_MAX_SEGMENTS of Linux before 6.9.</summary>
    public const int MaxDatagrams = 64;

    // The largest UDP payload over IPv4, 65535 - 20 - 8: what segmentation offload takes in one call.
    private const int Length = 65_507;

    [ThreadStatic]
    private static byte[]? _buffer;

    /// <summary>This thread's; not to be kept.</summary>
    public static byte[] OfThisThread => _buffer ??= GC.AllocateUninitializedArray<byte>(Length, pinned: true);
}
