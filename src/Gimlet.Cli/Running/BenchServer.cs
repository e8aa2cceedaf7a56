using System.Diagnostics;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Gimlet.Quic;

namespace Gimlet.Cli.Running;

/// <summary>
/// The listener's side of <c>gimlet bench</c>, for one connection. Whatever the dialler does, it is over after <see cref="Limit"/>; what it opens at the same
/// time QUIC bounds (100 streams of either type), and what waits to be read the windows.
/// </summary>
/// <param name="connection">The connection.</param>
internal sealed class BenchServer(GimletConnection connection)
{
    /// <summary>Connections that are served at the same time; more would measure each other.</summary>
    public const int MaxConnections = 8;

    // A stream is given up with this.
    private const long Malformed = 1;

    private static readonly TimeSpan Limit = BenchWire.Longest + TimeSpan.FromMinutes(1);

    // Not zeros: somebody on the way may compress.
    private static readonly byte[] Block = RandomNumberGenerator.GetBytes(BenchWire.BlockLength);

    private long _received;
    private long _firstAt;

    /// <summary>Serves until the dialler has gone or the limit is reached, and closes the connection.</summary>
    /// <param name="enough">Ends it early.</param>
    public async Task RunAsync(CancellationToken enough)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(enough);
        over.CancelAfter(Limit);
        var parts = new List<Task> { GuardAsync(ReportAsync(over.Token)) };
        try
        {
            while (true)
            {
                QuicStream stream = await connection.AcceptStreamAsync(over.Token).ConfigureAwait(false);
                _ = parts.RemoveAll(static p => p.IsCompleted);
#pragma warning disable CA2025 // nobody disposes of the streams: they end with the connection
                parts.Add(GuardAsync(stream.Type == QuicStreamType.Unidirectional ? TakeAsync(stream, over.Token) : GiveAsync(stream, over.Token)));
#pragma warning restore CA2025
            }
        }
        catch (Exception e) when (e is GimletException or OperationCanceledException)
        {
            // The connection is over, or has lasted long enough.
        }

        await over.CancelAsync().ConfigureAwait(false);
        await connection.CloseAsync().ConfigureAwait(false);
        await Task.WhenAll(parts).ConfigureAwait(false);
    }

    // Streams end as the dialler likes; that is its own business, and no stream's end is another's.
    private static async Task GuardAsync(Task part)
    {
        try
        {
            await part.ConfigureAwait(false);
        }
        catch (Exception e) when (e is GimletException or QuicException or OperationCanceledException)
        {
            // It is over.
        }
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        QuicStream reports = await connection.OpenStreamAsync(QuicStreamType.Unidirectional, cancellationToken).ConfigureAwait(false);
        byte[] report = new byte[BenchWire.ReportLength];
        using var timer = new PeriodicTimer(BenchWire.ReportInterval);
        do
        {
            long first = Interlocked.Read(ref _firstAt);
            new BenchReport(Interlocked.Read(ref _received), first == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(first), connection.BytesLost).Write(report);

            // A dialler that does not read them fills one stream's buffer, and then this waits.
            await reports.WriteAsync(report, cancellationToken).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
    }

    private async Task TakeAsync(QuicStream stream, CancellationToken cancellationToken)
    {
        _ = Interlocked.CompareExchange(ref _firstAt, Stopwatch.GetTimestamp(), 0);
        PipeReader input = stream.Input;
        for (bool ended = false; !ended;)
        {
            ReadResult read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            _ = Interlocked.Add(ref _received, read.Buffer.Length);
            input.AdvanceTo(read.Buffer.End);
            ended = read.IsCompleted;
        }
    }

    private static async Task GiveAsync(QuicStream stream, CancellationToken cancellationToken)
    {
        byte[] request = new byte[BenchWire.RequestLength];
        if (await stream.ReadAtLeastAsync(request, request.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) != request.Length)
        {
            stream.Abort(QuicAbortDirection.Both, Malformed);
            return;
        }

        TimeSpan duration = BenchWire.ReadRequest(request);
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < duration)
        {
            await stream.WriteAsync(Block, cancellationToken).ConfigureAwait(false);
        }

        stream.CompleteWrites();
    }
}
