using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class PipeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lines_of_any_length_are_found_across_pieces()
    {
        await using var pair = await StreamPair.CreateAsync();
        var random = new Random(3);
        string[] lines = [.. Enumerable.Range(0, 200).Select(i => new string((char)('a' + (i % 26)), random.Next(i % 10 == 0 ? 60_000 : 100)))];
        Task write = WriteLinesAsync(pair.Local.Output, lines);
        var read = new List<string>();
        PipeReader input = pair.Remote.Input;
        while (true)
        {
            ReadResult result = await input.ReadAsync(Token);
            ReadOnlySequence<byte> buffer = result.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                read.Add(Encoding.ASCII.GetString(buffer.Slice(0, end)));
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                Assert.True(buffer.IsEmpty);
                break;
            }
        }

        await write;
        await input.CompleteAsync();
        Assert.Equal(lines, read);
        await pair.Remote.ReadsClosed.WaitAsync(Token);
    }

    [Fact]
    public async Task What_was_seen_and_not_taken_is_shown_again_with_more_or_with_the_end()
    {
        await using var pair = await StreamPair.CreateAsync();
        PipeReader input = pair.Remote.Input;
        await pair.Local.WriteAsync("ab"u8.ToArray(), Token);
        ReadResult result = await input.ReadAsync(Token);
        Assert.Equal("ab", Encoding.ASCII.GetString(result.Buffer));
        input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Assert.False(input.TryRead(out _));
        Task<ReadResult> waiting = input.ReadAsync(Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await pair.Local.WriteAsync("c"u8.ToArray(), Token);
        result = await waiting;
        Assert.Equal("abc", Encoding.ASCII.GetString(result.Buffer));
        Assert.False(result.IsCompleted);
        input.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.End);
        waiting = input.ReadAsync(Token).AsTask();
        Assert.False(waiting.IsCompleted);
        pair.Local.CompleteWrites();
        result = await waiting;
        Assert.Equal("bc", Encoding.ASCII.GetString(result.Buffer));
        Assert.True(result.IsCompleted);
        input.AdvanceTo(result.Buffer.End);
        result = await input.ReadAsync(Token);
        Assert.True(result.IsCompleted && result.Buffer.IsEmpty);
        input.AdvanceTo(result.Buffer.End);
    }

    [Fact]
    public async Task Not_examined_it_is_shown_again_at_once()
    {
        await using var pair = await StreamPair.CreateAsync();
        await pair.Local.WriteAsync("abc"u8.ToArray(), Token);
        PipeReader input = pair.Remote.Input;
        ReadResult result = await input.ReadAsync(Token);
        _ = Assert.Throws<InvalidOperationException>(() => input.TryRead(out _));
        input.AdvanceTo(result.Buffer.GetPosition(1));
        Assert.True(input.TryRead(out result));
        Assert.Equal("bc", Encoding.ASCII.GetString(result.Buffer));
        input.AdvanceTo(result.Buffer.End);
        _ = Assert.Throws<InvalidOperationException>(() => input.AdvanceTo(default));
    }

    [Fact]
    public async Task Who_never_takes_anything_is_told_instead_of_waiting_for_ever()
    {
        await using var pair = await StreamPair.CreateAsync(server: TestEndpoints.ServerOptions with { StreamWindow = 100_000 });
        Task write = pair.Local.WriteAsync(new byte[200_000], Token).AsTask();
        PipeReader input = pair.Remote.Input;
        InvalidOperationException exception = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            while (true)
            {
                ReadResult result = await input.ReadAsync(Token);
                input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        });
        Assert.Contains("100000", exception.Message, StringComparison.Ordinal);
        await write;
    }

    [Fact]
    public async Task Cancelled_reads_of_a_pipe_lose_nothing()
    {
        await using var pair = await StreamPair.CreateAsync();
        PipeReader input = pair.Remote.Input;
        ValueTask<ReadResult> waiting = input.ReadAsync(Token);
        input.CancelPendingRead();
        ReadResult result = await waiting;
        Assert.True(result.IsCanceled && result.Buffer.IsEmpty);
        input.AdvanceTo(result.Buffer.End);
        using var stop = new CancellationTokenSource();
        waiting = input.ReadAsync(stop.Token);
        await stop.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
        await pair.Local.WriteAsync("abc"u8.ToArray(), Token);
        result = await input.ReadAsync(Token);
        Assert.Equal("abc", Encoding.ASCII.GetString(result.Buffer));
        input.AdvanceTo(result.Buffer.End);
    }

    [Fact]
    public async Task A_cancelled_flush_sends_nothing_twice()
    {
        await using var pair = await StreamPair.CreateAsync(client: TestEndpoints.ClientOptions with { SendBufferBytes = 5_000 });
        byte[] data = new byte[100_000];
        new Random(4).NextBytes(data);
        PipeWriter output = pair.Local.Output;
        output.Write(data);
        Assert.Equal(data.Length, output.UnflushedBytes);
        using var stop = new CancellationTokenSource();
        ValueTask<FlushResult> flush = output.FlushAsync(stop.Token);
        Assert.False(flush.IsCompleted);
        await stop.CancelAsync();
        _ = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await flush);
        Assert.Equal(data.Length - (pair.Local.BytesWritten - 1), output.UnflushedBytes);
        flush = output.FlushAsync(Token);
        output.CancelPendingFlush();
        Assert.True((await flush).IsCanceled);
        Task complete = output.CompleteAsync().AsTask();
        Assert.True((await pair.Remote.ReadAllAsync()).AsSpan().SequenceEqual(data));
        await complete;
        Assert.Equal(0, output.UnflushedBytes);
    }

    [Fact]
    public async Task Completing_with_an_exception_is_no_end()
    {
        await using var pair = await StreamPair.CreateAsync(client: TestEndpoints.ClientOptions with { DefaultStreamErrorCode = 55 });
        await pair.Local.Output.CompleteAsync(new InvalidDataException());
        QuicException exception = await Assert.ThrowsAsync<QuicException>(async () => await pair.Remote.Input.ReadAsync(Token));
        Assert.Equal((QuicErrorKind.StreamAborted, 55L), (exception.Kind, exception.ApplicationErrorCode));
        await pair.Local.Input.CompleteAsync();
        exception = await Assert.ThrowsAsync<QuicException>(async () => await pair.Remote.WritesClosed.WaitAsync(Token));
        Assert.Equal((QuicErrorKind.StreamAborted, 55L), (exception.Kind, exception.ApplicationErrorCode));
    }

    [Fact]
    public async Task Blocks_larger_than_the_usual_fit()
    {
        await using var pair = await StreamPair.CreateAsync();
        PipeWriter output = pair.Local.Output;
        output.GetSpan(10)[0] = 1;
        output.Advance(1);
        Memory<byte> large = output.GetMemory(100_000);
        Assert.InRange(large.Length, 100_000, int.MaxValue);
        large.Span[..100_000].Fill(2);
        output.Advance(100_000);
        _ = await output.FlushAsync(Token);
        await output.CompleteAsync();
        byte[] read = await pair.Remote.ReadAllAsync();
        Assert.Equal(100_001, read.Length);
        Assert.Equal(1, read[0]);
        Assert.True(read.AsSpan(1).IndexOfAnyExcept((byte)2) < 0);
    }

    private static async Task WriteLinesAsync(PipeWriter output, string[] lines)
    {
        foreach (string line in lines)
        {
            _ = Encoding.ASCII.GetBytes(line, output);
            output.Write("\n"u8);
            if (line.Length % 3 == 0)
            {
                _ = await output.FlushAsync(Token);
            }
        }

        await output.CompleteAsync();
    }
}
