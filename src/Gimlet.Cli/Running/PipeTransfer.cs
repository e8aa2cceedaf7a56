using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Gimlet.Quic;

namespace Gimlet.Cli.Running;

/// <summary>
/// One end of a pipe to the other side's end and back (<c>gimlet.pipe.1</c>, <c>gimlet.worker.1</c>). The dialler opens one bidirectional stream; its first byte is
/// <see cref="Greeting"/>, for a stream without a byte is not seen by the other side, which may be the one with something to say. All else are the bytes.
/// Each side whose end has taken everything sends a receipt: a unidirectional stream with the count, 8 bytes, big-endian. Who has a
/// receipt knows that nothing is lost; QUIC's acknowledgements know only that it has arrived in a buffer.
/// A side that has nothing to send aborts its direction with a code of its own instead of ending it: an empty file is something.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="end">Where the bytes come from and go to.</param>
/// <param name="command">The command that the other side runs as well.</param>
internal sealed class PipeTransfer(GimletConnection connection, IPipeEnd end, string command)
{
    /// <summary>The first byte of the dialler.</summary>
    public const byte Greeting = 1;

    private const int ReceiptLength = sizeof(long);

    // Twice what a pipe of Linux holds: one read empties it.
    private const int BufferLength = 128 * 1024;

    // The stream is aborted with these.
    private const long OutputGone = 1;
    private const long GivenUp = 2;
    private const long NothingToSend = 3;
    private const long NothingWanted = 4;

    // The first byte leaves as soon as the connection is there; this many round trips over any relay are enough for it.
    private static readonly TimeSpan GreetingLimit = TimeSpan.FromSeconds(10);

    private long _sent;
    private long _received;

    /// <summary>Bytes of this end that were handed over.</summary>
    public long SentBytes => Interlocked.Read(ref _sent);

    /// <summary>Bytes that this end has taken.</summary>
    public long ReceivedBytes => Interlocked.Read(ref _received);

    /// <summary>Tells a side that has opened a stream that nothing is sent or received on this one.</summary>
    /// <param name="stream">The stream.</param>
    public static void Decline(QuicStream stream) => stream.Abort(QuicAbortDirection.Both, NothingWanted);

    /// <summary>Runs both directions to their ends; returns when either side has everything and knows it.</summary>
    /// <param name="interrupted">Gives up.</param>
    /// <exception cref="GimletException">Something is missing on one of the sides, and why.</exception>
    public async Task RunAsync(CancellationToken interrupted)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(interrupted);
        QuicStream? data = null;
        try
        {
            data = connection.IsIncoming ? await AcceptDataAsync(over.Token).ConfigureAwait(false) : await OpenDataAsync(over.Token).ConfigureAwait(false);
#pragma warning disable CA2025 // nobody disposes of the stream: it ends with the connection
            Task<QuicStream> receiving = ReceiveAsync(data, over.Token);
#pragma warning restore CA2025
            Task<long> confirmation = ReadReceiptAsync(over.Token);

            // The first failure ends everything: half a pipe is of no use to a script that cannot see it.
#pragma warning disable CA2025 // nobody disposes of the stream: it ends with the connection
            await foreach (Task part in Task.WhenEach(SendAsync(data, over.Token), WritesOf(data), receiving, confirmation).WithCancellation(over.Token).ConfigureAwait(false))
#pragma warning restore CA2025
            {
                await part.ConfigureAwait(false);
            }

            Confirm(await confirmation.ConfigureAwait(false));
            await LeaveAsync(await receiving.ConfigureAwait(false), over.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Reads and writes that stand are left, and the other side is told why where there is still a way to it.
            await over.CancelAsync().ConfigureAwait(false);
            data?.Abort(QuicAbortDirection.Both, e is GimletException { Kind: GimletErrorKind.LocalFault } ? OutputGone : GivenUp);
            if (e is QuicException quic)
            {
                throw await ExplainAsync(quic, interrupted).ConfigureAwait(false);
            }

            throw;
        }
    }

    private async Task<QuicStream> OpenDataAsync(CancellationToken cancellationToken)
    {
        QuicStream data = await connection.OpenStreamAsync(QuicStreamType.Bidirectional, cancellationToken).ConfigureAwait(false);
        await data.WriteAsync(new[] { Greeting }, cancellationToken).ConfigureAwait(false);
        return data;
    }

    private async Task<QuicStream> AcceptDataAsync(CancellationToken cancellationToken)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(GreetingLimit);
        try
        {
            QuicStream data = await connection.AcceptStreamAsync(bound.Token).ConfigureAwait(false);
            byte[] first = new byte[1];
            bool greeted = data.Type == QuicStreamType.Bidirectional && await ReadGreetingAsync(data, first, bound.Token).ConfigureAwait(false) && first[0] == Greeting;
            return greeted ? data : throw NotSpoken();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GimletException(GimletErrorKind.TimedOut, $"The peer connected and opened no stream within {GreetingLimit.TotalSeconds:0} s.");
        }
    }

    // An abort may overtake what came before it (RFC 9000 section 3.2); only a side that speaks this has the code for it.
    private static async Task<bool> ReadGreetingAsync(QuicStream data, byte[] first, CancellationToken cancellationToken)
    {
        try
        {
            return await data.ReadAsync(first, cancellationToken).ConfigureAwait(false) == first.Length;
        }
        catch (QuicException e) when (IsNothing(e))
        {
            first[0] = Greeting;
            return true;
        }
    }

    private static bool IsNothing(QuicException e) => e is { Kind: QuicErrorKind.StreamAborted, ApplicationErrorCode: NothingToSend };

    // Tells that the peer no longer reads; where nothing is sent it need not.
    private Task WritesOf(QuicStream data) => end.Sends ? data.WritesClosed : Task.CompletedTask;

    private async Task SendAsync(QuicStream data, CancellationToken cancellationToken)
    {
        if (!end.Sends)
        {
            data.Abort(QuicAbortDirection.Write, NothingToSend);
            return;
        }

        byte[] buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
        while (await end.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and int count)
        {
            await data.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            _ = Interlocked.Add(ref _sent, count);
        }

        data.CompleteWrites();
    }

    // What the network has brought waits in the stream, whose window stops the peer, until standard output has taken what came before.
    private async Task<QuicStream> ReceiveAsync(QuicStream data, CancellationToken cancellationToken)
    {
        try
        {
            await DrainAsync(data.Input, cancellationToken).ConfigureAwait(false);
        }
        catch (QuicException e) when (IsNothing(e) && ReceivedBytes == 0)
        {
            end.AcceptNothing();
        }

        await end.CloseOutputAsync().ConfigureAwait(false);
        QuicStream receipt = await connection.OpenStreamAsync(QuicStreamType.Unidirectional, cancellationToken).ConfigureAwait(false);
        byte[] count = new byte[ReceiptLength];
        BinaryPrimitives.WriteInt64BigEndian(count, ReceivedBytes);
        await receipt.WriteAsync(count, completeWrites: true, cancellationToken).ConfigureAwait(false);
        return receipt;
    }

    private async Task DrainAsync(PipeReader input, CancellationToken cancellationToken)
    {
        for (bool ended = false; !ended;)
        {
            ReadResult read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            foreach (ReadOnlyMemory<byte> piece in read.Buffer)
            {
                await end.WriteAsync(piece, cancellationToken).ConfigureAwait(false);
                _ = Interlocked.Add(ref _received, piece.Length);
            }

            input.AdvanceTo(read.Buffer.End);
            ended = read.IsCompleted;
        }
    }

    private async Task<long> ReadReceiptAsync(CancellationToken cancellationToken)
    {
        QuicStream receipt = await connection.AcceptStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] count = new byte[ReceiptLength];
        if (receipt.Type != QuicStreamType.Unidirectional
            || await receipt.ReadAtLeastAsync(count, ReceiptLength, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) != ReceiptLength)
        {
            throw NotSpoken();
        }

        return BinaryPrimitives.ReadInt64BigEndian(count);
    }

    private void Confirm(long confirmed)
    {
        if (confirmed != SentBytes)
        {
            throw new GimletException(GimletErrorKind.Transport, $"The other side has {confirmed} of the {SentBytes} bytes that were sent.");
        }
    }

    // This side has all it waits for; the peer has, too, when it has the receipt. Whoever knows that first closes, so the end of the connection says the same.
    private static async Task LeaveAsync(QuicStream receipt, CancellationToken cancellationToken)
    {
        try
        {
            await receipt.WritesClosed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (QuicException)
        {
            // The peer was faster, or is gone: nothing that this side promises depends on it.
        }
    }

    private async Task<GimletException> ExplainAsync(QuicException cause, CancellationToken interrupted)
    {
        if (cause.Kind == QuicErrorKind.StreamAborted)
        {
            return new GimletException(
                GimletErrorKind.Transport,
                cause.ApplicationErrorCode switch
                {
                    OutputGone => "What the bytes come from or go to has failed on the other side.",
                    NothingWanted => "The other side sends and receives nothing.",
                    _ => "The other side has given up.",
                },
                "What happened there, it says on its standard error.",
                cause);
        }

        string reason = await connection.Closed.WaitAsync(interrupted).ConfigureAwait(false);
        return new GimletException(GimletErrorKind.Transport, $"The connection ended before everything was across: {reason}.", innerException: cause);
    }

    private GimletException NotSpoken() =>
        new(GimletErrorKind.Unsupported, $"The other side does not speak this version of gimlet {command}, or does something else with its connection.", "Use the same version of gimlet on both sides.");
}
