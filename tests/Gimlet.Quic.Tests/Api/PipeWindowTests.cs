using System.Buffers;
using System.IO.Pipelines;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>
/// Messages that are looked at until they are whole: the windows, which begin at 512 and 768 KiB, grow for them as far as the options say.
/// </summary>
public sealed class PipeWindowTests
{
    private const int Mebibyte = 1024 * 1024;

    // Of a wait that the defect made endless.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_larger_than_the_first_windows_comes_whole_before_any_of_it_is_taken()
    {
        await using var pair = await StreamPair.CreateAsync();
        await ExchangeAsync(pair.Local, pair.Remote, 2 * Mebibyte).WaitAsync(Limit, Token);

        // And again, with windows that have moved.
        await ExchangeAsync(pair.Local, pair.Remote, 2 * Mebibyte).WaitAsync(Limit, Token);
    }

    // Together they are more than the connection's window for the largest of them.
    [Fact]
    public async Task Several_such_messages_come_at_the_same_time()
    {
        await using var pair = await StreamPair.CreateAsync();
        var exchanges = new List<Task> { ExchangeAsync(pair.Local, pair.Remote, 2 * Mebibyte) };
        for (int i = 1; i < 4; i++)
        {
            exchanges.Add(HoldAsync(pair, 2 * Mebibyte));
        }

        await Task.WhenAll(exchanges).WaitAsync(Limit, Token);
    }

    // What was consumed in front of the message is less than half a window, which alone would not move it.
    [Fact]
    public async Task What_was_read_before_makes_room_for_a_message_as_large_as_the_windows()
    {
        await using var pair = await StreamPair.CreateAsync(
            server: TestEndpoints.ServerOptions with { StreamWindow = 6 * Mebibyte, ConnectionWindow = 100_000 });
        await ExchangeAsync(pair.Local, pair.Remote, 30_000).WaitAsync(Limit, Token);
        await ExchangeAsync(pair.Local, pair.Remote, 90_000).WaitAsync(Limit, Token);
    }

    [Theory]
    [InlineData(1_000_000, 12 * Mebibyte)]
    [InlineData(6 * Mebibyte, 1_000_000)]
    public async Task More_than_the_windows_may_hold_is_told_with_the_name_of_the_option(int streamWindow, int connectionWindow)
    {
        await using var pair = await StreamPair.CreateAsync(
            server: TestEndpoints.ServerOptions with { StreamWindow = streamWindow, ConnectionWindow = connectionWindow });
        Task write = pair.Local.WriteAsync(new byte[1_100_000], Token).AsTask();
        InvalidOperationException exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => LookAtAsync(pair.Remote.Input, 1_100_000).WaitAsync(Limit, Token));
        Assert.Contains("1000000", exception.Message, StringComparison.Ordinal);
        Assert.Contains("StreamWindow", exception.Message, StringComparison.Ordinal);
        await write;
    }

    [Theory]
    [InlineData(100_000, false)]
    [InlineData(100_000, true)]
    [InlineData(512 * 1024, false)]
    [InlineData(512 * 1024, true)]
    [InlineData(1_000_000, false)]
    [InlineData(1_000_000, true)]
    public async Task A_message_that_ends_exactly_at_the_window_comes_to_its_end(int window, bool isEndAlone)
    {
        await using var pair = await StreamPair.CreateAsync(server: TestEndpoints.ServerOptions with { StreamWindow = window });
        PipeReader input = pair.Remote.Input;
        Task write = pair.Local.WriteAsync(new byte[window], completeWrites: !isEndAlone, Token).AsTask();
        ReadOnlySequence<byte> whole = await LookAtAsync(input, window).WaitAsync(Limit, Token);
        await write;
        input.AdvanceTo(whole.Start, whole.End);

        // All that fits was looked at: the end may follow in a packet of its own.
        Task<ReadResult> last = input.ReadAsync(Token).AsTask();
        pair.Local.CompleteWrites();
        ReadResult result = await last.WaitAsync(Limit, Token);
        Assert.True(result.IsCompleted);
        Assert.Equal(window, result.Buffer.Length);
        input.AdvanceTo(result.Buffer.End);
        await pair.Remote.ReadsClosed.WaitAsync(Limit, Token);
    }

    private static async Task ExchangeAsync(QuicStream local, QuicStream remote, int length)
    {
        byte[] message = new byte[length];
        new Random(length).NextBytes(message);
        Task write = local.WriteAsync(message, Token).AsTask();
        ReadOnlySequence<byte> whole = await LookAtAsync(remote.Input, length);
        Assert.Equal(length, whole.Length);
        Assert.True(whole.ToArray().AsSpan().SequenceEqual(message));
        remote.Input.AdvanceTo(whole.End);
        await write;
    }

    // On a stream of its own; which of several is accepted does not matter.
    private static async Task HoldAsync(StreamPair pair, int length)
    {
        QuicStream local = await pair.Client.OpenStreamAsync(QuicStreamType.Unidirectional, Token);
        Task write = local.WriteAsync(new byte[length], Token).AsTask();
        QuicStream remote = await pair.Server.AcceptStreamAsync(Token);
        Assert.Equal(length, (await LookAtAsync(remote.Input, length)).Length);
        await write;
    }

    // Takes nothing.
    private static async Task<ReadOnlySequence<byte>> LookAtAsync(PipeReader input, int length)
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync(Token);
            if (result.Buffer.Length >= length)
            {
                return result.Buffer;
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }
}
