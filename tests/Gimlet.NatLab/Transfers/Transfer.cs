using System.Diagnostics;
using System.Globalization;
using Gimlet.NatLab.Cells;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Transfers;

/// <summary>A long stream of bytes from one host to another by <c>gimlet pipe</c>, in the middle of which something happens to the network.</summary>
internal sealed class Transfer : IAsyncDisposable
{
    private const int Megabyte = 1_000_000;

    // Enough that what happens in the middle has bytes before and after it on any machine; the acceptance run takes 200.
    private const int UsualMegabytes = 20;

    private readonly GimletProcess _sender;
    private readonly GimletProcess _receiver;
    private ReceivedBytes? _received;
    private SentBytes? _sent;

    private Transfer(GimletProcess sender, GimletProcess receiver) => (_sender, _receiver) = (sender, receiver);

    /// <summary>How much is sent (<c>GIMLET_LAB_TRANSFER_MB</c>).</summary>
    internal static long Length { get; } = Megabyte * (Environment.GetEnvironmentVariable("GIMLET_LAB_TRANSFER_MB") is { Length: > 0 } text
        ? long.Parse(text, CultureInfo.InvariantCulture)
        : UsualMegabytes);

    /// <summary>
    /// As much as issue 4 demands, whatever is usual: about five seconds on two cores. What a short transfer does not see (windows that have grown,
    /// flow control's long run) this one does.
    /// </summary>
    internal static long FullLength { get; } = Math.Max(Length, 200L * Megabyte);

    internal GimletProcess Sender => _sender;

    internal GimletProcess Receiver => _receiver;

    /// <summary>Connects the two, without a byte yet.</summary>
    internal static async Task<Transfer> ConnectAsync(string server, LabHost from, LabHost to, params IReadOnlyList<string> more)
    {
        var receiver = GimletProcess.StartPipe(to, ["--listen", "--server", server, "--ephemeral", .. more]);
        GimletProcess? sender = null;
        try
        {
            var peer = (await receiver.WaitForAsync("listening")).Text("peer")!;
            sender = GimletProcess.StartPipe(from, [peer, "--server", server, "--ephemeral", .. more]);
            _ = await sender.WaitForAsync("connected");
            _ = await receiver.WaitForAsync("connected");
            return new Transfer(sender, receiver);
        }
        catch
        {
            await (sender?.DisposeAsync() ?? ValueTask.CompletedTask);
            await receiver.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until both sides are on a direct path.</summary>
    internal async Task<Transfer> DirectAsync()
    {
        _ = await Dial.DirectAsync(_sender);
        _ = await Dial.DirectAsync(_receiver);
        return this;
    }

    /// <summary>
    /// Sends at least <paramref name="length"/> bytes. <paramref name="event"/> happens when a third of them has arrived, and another third is handed over after it.
    /// </summary>
    /// <returns>What the receiver saw.</returns>
    internal async Task<TransferRun> RunAsync(long length, Func<Task> @event)
    {
        var begun = Stopwatch.GetTimestamp();
        _receiver.Pipe.Input.Close();
        _received = new ReceivedBytes(_receiver.Pipe.Output);
        _sent = new SentBytes(_sender.Pipe.Input);
        try
        {
            await _received.ReachAsync(length / 3);
            var happens = Stopwatch.GetTimestamp();
            var before = _received.LongestPause(since: 0);
            await @event();
            var over = Stopwatch.GetElapsedTime(happens);
            _sent.EndAfter(more: length / 3, atLeast: length);

            var sent = await _sent.Ended.WaitAsync(GimletProcess.Deadline);
            await _received.ReachAsync(sent.Count);
            var took = Stopwatch.GetElapsedTime(begun);
            var arrived = await _received.Ended.WaitAsync(GimletProcess.Deadline);
            Dial.Demand(_receiver, _received.Count == sent.Count, $"{_received.Count} bytes arrived, {sent.Count} were sent");
            Dial.Demand(_receiver, arrived.AsSpan().SequenceEqual(sent.Hash), "other bytes arrived than were sent");
            Dial.Demand(_sender, await _sender.WaitForExitAsync() == 0, "it did not end with code 0");
            Dial.Demand(_receiver, await _receiver.WaitForExitAsync() == 0, "it did not end with code 0");
            return new TransferRun(sent.Count, took, over, before, _received.LongestPause(happens))
            {
                Paths = [.. PathsOf(_sender, "sender", happens), .. PathsOf(_receiver, "receiver", happens)],
            };
        }
        catch (Exception exception) when (exception is TimeoutException or IOException)
        {
            throw new GimletProcessException(
                $"{exception.Message} ({_received.Count} bytes have arrived)\n{_sender.Failure("the sender:").Message}\n{_receiver.Failure("the receiver:").Message}",
                exception);
        }
    }

    private static IEnumerable<string> PathsOf(GimletProcess side, string name, long since) => side.EventsSince(since)
        .Where(news => news.Name == "path")
        .Select(news => string.Create(
            CultureInfo.InvariantCulture,
            $"{Stopwatch.GetElapsedTime(since, news.ReadAt).TotalMilliseconds,6:0} ms, {name}: {news.Text("path") ?? "none"} {news.Text("remote")} ({news.Text("reason")})"));

    public async ValueTask DisposeAsync()
    {
        await _sender.DisposeAsync();
        await _receiver.DisposeAsync();
        if (_received is { } received)
        {
            _ = await received.Ended;
            received.Dispose();
        }

        if (_sent is { } sent)
        {
            // A sender that was ended early breaks its pipe; that failure was told already.
            _ = await Task.WhenAny(sent.Ended);
        }
    }
}

/// <summary>What a receiver saw.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Took">From the first byte that was handed over to the last one that arrived.</param>
/// <param name="Event">How long the event took.</param>
/// <param name="PauseBefore">The longest time without a byte before the event.</param>
/// <param name="PauseAfter">The longest one that ended after it began.</param>
internal sealed record TransferRun(long Length, TimeSpan Took, TimeSpan Event, TimeSpan PauseBefore, TimeSpan PauseAfter)
{
    /// <summary>What both sides said of paths since the event, counted from its beginning.</summary>
    internal IReadOnlyList<string> Paths { get; init; } = [];

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Length / 1e6,4:0} MB in {Took.TotalSeconds,5:0.0} s, longest pause {PauseAfter.TotalMilliseconds,5:0} ms (before the event {PauseBefore.TotalMilliseconds,3:0} ms; it took {Event.TotalMilliseconds:0} ms)");
}
