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
    private Task<byte[]>? _sending;
    private long _begunAt;

    private Transfer(GimletProcess sender, GimletProcess receiver) => (_sender, _receiver) = (sender, receiver);

    /// <summary>How much is sent (<c>GIMLET_LAB_TRANSFER_MB</c>).</summary>
    internal static long Length { get; } = Megabyte * (Environment.GetEnvironmentVariable("GIMLET_LAB_TRANSFER_MB") is { Length: > 0 } text
        ? long.Parse(text, CultureInfo.InvariantCulture)
        : UsualMegabytes);

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

    /// <summary>Sends <paramref name="length"/> bytes; <paramref name="event"/> happens when a third of them has arrived.</summary>
    /// <returns>What the receiver saw.</returns>
    internal async Task<TransferRun> RunAsync(long length, Func<Task> @event)
    {
        _begunAt = Stopwatch.GetTimestamp();
        _receiver.Pipe.Input.Close();
        _received = new ReceivedBytes(_receiver.Pipe.Output);
        _sending = SentBytes.WriteAsync(_sender.Pipe.Input, length);
        try
        {
            await _received.ReachAsync(length / 3);
            var happened = Stopwatch.GetTimestamp();
            var before = _received.LongestPause(since: 0);
            await @event();
            var during = _received.Count;
            Dial.Demand(_receiver, during < length, "everything had arrived before the event was over: the transfer is too short for this machine");

            await _received.ReachAsync(length);
            var took = Stopwatch.GetElapsedTime(_begunAt);
            var sent = await _sending;
            var arrived = await _received.Ended.WaitAsync(GimletProcess.Deadline);
            Dial.Demand(_receiver, _received.Count == length, $"{_received.Count} bytes arrived, {length} were sent");
            Dial.Demand(_receiver, arrived.AsSpan().SequenceEqual(sent), "other bytes arrived than were sent");
            Dial.Demand(_sender, await _sender.WaitForExitAsync() == 0, "it did not end with code 0");
            Dial.Demand(_receiver, await _receiver.WaitForExitAsync() == 0, "it did not end with code 0");
            return new TransferRun(length, took, before, _received.LongestPause(happened));
        }
        catch (Exception exception) when (exception is TimeoutException or IOException)
        {
            throw new GimletProcessException($"{exception.Message}: {_received.Count} of {length} bytes have arrived\n"
                + $"{_sender.Failure("the sender").Message}\n{_receiver.Failure("the receiver").Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _sender.DisposeAsync();
        await _receiver.DisposeAsync();
        if (_received is { } received)
        {
            _ = await received.Ended;
            received.Dispose();
        }

        if (_sending is { } sending)
        {
            // A sender that was ended early breaks its pipe; that failure was told already.
            _ = await Task.WhenAny(sending);
        }
    }
}

/// <summary>What a receiver saw.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Took">From the first byte that was handed over to the last one that arrived.</param>
/// <param name="PauseBefore">The longest time without a byte before the event.</param>
/// <param name="PauseAfter">The longest one after it began.</param>
internal sealed record TransferRun(long Length, TimeSpan Took, TimeSpan PauseBefore, TimeSpan PauseAfter)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Length / 1e6:0} MB in {Took.TotalSeconds:0.0} s, longest pause {PauseAfter.TotalMilliseconds:0} ms (before the event {PauseBefore.TotalMilliseconds:0} ms)");
}
