namespace Gimlet.Cli.Running;

/// <summary>
/// What a <see cref="PipeTransfer"/> connects with the other side: standard streams, files, a command. One read and one write at a time, beside each other.
/// Failures are <see cref="GimletException"/>s of <see cref="GimletErrorKind.LocalFault"/>.
/// </summary>
internal interface IPipeEnd
{
    /// <summary>False: there is nothing to read, not even an end, and the other side is told so.</summary>
    bool Sends { get; }

    /// <summary>The other side has nothing to send, which is not the same as sending no bytes.</summary>
    /// <exception cref="GimletException">It was to send something.</exception>
    void AcceptNothing();

    /// <summary>Reads; 0 bytes are the end.</summary>
    /// <param name="buffer">Gets the bytes. After a cancellation it belongs to the read that was left behind.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GimletException">It cannot be read, or what it is from has failed.</exception>
    ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Writes.</summary>
    /// <param name="bytes">The bytes. After a cancellation they belong to the write that was left behind.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GimletException">Nobody reads it any more, or its disk is full.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Nothing more will be written. When it returns, what was written is where it belongs: the other side is told so.</summary>
    /// <exception cref="GimletException">It cannot be put there.</exception>
    ValueTask CloseOutputAsync();
}
