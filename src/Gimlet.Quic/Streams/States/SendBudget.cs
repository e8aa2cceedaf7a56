namespace Gimlet.Quic.Streams.States;

/// <summary>
/// What the sending parts of a connection hold together. One stream may have it all; where many share it, each has <see cref="Share"/> whatever the
/// others hold, so that none waits for another's acknowledgement. Without it a hundred streams that are written as fast as they take it would hold a
/// hundred times what the network can use.
/// </summary>
/// <param name="capacity">Bytes held at most, but for the shares.</param>
internal sealed class SendBudget(int capacity)
{
    /// <summary>What a stream has for itself: an ordinary write of an application. A hundred streams so hold 6.4 MB at most beyond the capacity.</summary>
    public const int Share = 64 * 1024;

    public int Capacity { get; } = capacity;

    /// <summary>Bytes that all parts hold now.</summary>
    public long Held { get; private set; }

    /// <summary>How many more bytes a part may take.</summary>
    /// <param name="held">What it holds.</param>
    public int RoomOf(int held) => (int)Math.Max(0, Math.Max(Capacity - Held, Math.Min(Share, Capacity) - held));

    /// <summary>A part took bytes, or gave them back.</summary>
    public void Change(int by) => Held += by;
}
