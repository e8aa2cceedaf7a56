namespace Gimlet.Cli.Running;

/// <summary>An end that belongs to nobody, for a rehearsal: one byte to read, and what is written is gone. The process's own output is not touched.</summary>
internal sealed class OneByteEnd : IPipeEnd
{
    private bool _isRead;

    /// <inheritdoc/>
    public bool Sends => true;

    /// <inheritdoc/>
    public void AcceptNothing()
    {
        // Both sides of a rehearsal send.
    }

    /// <inheritdoc/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int read = _isRead ? 0 : 1;
        _isRead = true;
        buffer.Span[..read].Clear();
        return ValueTask.FromResult(read);
    }

    /// <inheritdoc/>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask CloseOutputAsync() => ValueTask.CompletedTask;
}
