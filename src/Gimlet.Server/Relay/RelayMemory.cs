using Gimlet.Signalling;

namespace Gimlet.Server.Relay;

/// <summary>
/// What the queues of all receivers hold together. While it is more than the server's budget, each queue has room for one frame of the largest size only: receivers
/// that do not read cannot take the memory of all, and those that read lose nothing.
/// </summary>
/// <param name="perReceiver">The bound of one queue, in bytes.</param>
/// <param name="budget">The bound of all, in bytes.</param>
internal sealed class RelayMemory(int perReceiver, long budget)
{
    private long _held;

    /// <summary>Bytes held by all queues.</summary>
    public long Held => Volatile.Read(ref _held);

    /// <summary>Counts a buffer that begins to wait.</summary>
    /// <returns>What its queue may hold now.</returns>
    public int Add(int bytes) => Interlocked.Add(ref _held, bytes) > budget ? RelayFrame.MaxLength : perReceiver;

    public void Remove(int bytes) => Interlocked.Add(ref _held, -bytes);
}
