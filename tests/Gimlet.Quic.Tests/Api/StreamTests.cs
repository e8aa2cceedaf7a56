using System.Security.Cryptography;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class StreamTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Half_closed_the_other_half_goes_on()
    {
        await using var pair = await StreamPair.CreateAsync();
        await pair.Local.WriteAsync("question"u8.ToArray(), completeWrites: true, Token);
        Assert.Equal("question"u8.ToArray(), await pair.Remote.ReadAllAsync());
        await pair.Local.WritesClosed.WaitAsync(Token);
        Assert.False(pair.Local.ReadsClosed.IsCompleted);
        await pair.Remote.WriteAsync("answer"u8.ToArray(), Token);
        pair.Remote.CompleteWrites();
        pair.Remote.CompleteWrites();
        Assert.Equal("answer"u8.ToArray(), await pair.Local.ReadAllAsync());
        await pair.Local.ReadsClosed.WaitAsync(Token);
        await pair.Remote.WritesClosed.WaitAsync(Token);
        Assert.Equal(0, await pair.Local.ReadAsync(new byte[10], Token));
        _ = await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Local.WriteAsync(new byte[1], Token));
    }

    [Fact]
    public async Task Unidirectional_streams_have_one_direction()
    {
        await using var pair = await StreamPair.CreateAsync(QuicStreamType.Unidirectional);
        Assert.True(pair.Local is { CanRead: false, CanWrite: true, CanSeek: false, Type: QuicStreamType.Unidirectional, IsLocal: true });
        Assert.True(pair.Remote is { CanRead: true, CanWrite: false, Type: QuicStreamType.Unidirectional, IsLocal: false });
        Assert.Equal(pair.Local.Id, pair.Remote.Id);
        Assert.True(pair.Local.ReadsClosed.IsCompletedSuccessfully);
        Assert.True(pair.Remote.WritesClosed.IsCompletedSuccessfully);
        _ = await Assert.ThrowsAsync<InvalidOperationException>(() => pair.Local.ReadAsync(new byte[1], Token).AsTask());
        _ = await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Remote.WriteAsync(new byte[1], Token));
        _ = Assert.Throws<InvalidOperationException>(pair.Remote.CompleteWrites);
        _ = Assert.Throws<InvalidOperationException>(() => pair.Local.Input);
        _ = Assert.Throws<InvalidOperationException>(() => pair.Remote.Output);
    }

    [Fact]
    public async Task What_no_stream_of_a_network_can_do_is_not_supported()
    {
        await using var pair = await StreamPair.CreateAsync();
        Stream stream = pair.Local;
        Assert.False(stream.CanTimeout);
        _ = Assert.Throws<NotSupportedException>(() => stream.Length);
        _ = Assert.Throws<NotSupportedException>(() => stream.Position);
        _ = Assert.Throws<NotSupportedException>(() => stream.Position = 1);
        _ = Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        _ = Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
    }

    [Fact]
    public async Task An_abort_of_writing_reaches_the_reader_with_its_code()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task<int> waiting = pair.Remote.ReadAsync(new byte[10], Token).AsTask();
        pair.Local.Abort(QuicAbortDirection.Write, 77);
        await AssertAborted(QuicErrorKind.StreamAborted, 77, () => waiting);
        await AssertAborted(QuicErrorKind.StreamAborted, 77, () => pair.Remote.ReadAsync(new byte[10], Token).AsTask());
        await AssertAborted(QuicErrorKind.StreamAborted, 77, () => pair.Remote.ReadsClosed);
        await AssertAborted(QuicErrorKind.OperationAborted, null, () => pair.Local.WriteAsync(new byte[1], Token).AsTask());
        await AssertAborted(QuicErrorKind.OperationAborted, null, () => pair.Local.WritesClosed);

        // The other direction lives.
        await pair.Remote.WriteAsync(new byte[3], completeWrites: true, Token);
        Assert.Equal(3, (await pair.Local.ReadAllAsync()).Length);
    }

    [Fact]
    public async Task An_abort_of_reading_reaches_the_writer_with_its_code()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task waiting = pair.Remote.WriteAsync(new byte[64 * 1024 * 1024], Token).AsTask();
        pair.Local.Abort(QuicAbortDirection.Read, 78);
        await AssertAborted(QuicErrorKind.StreamAborted, 78, () => waiting);
        await AssertAborted(QuicErrorKind.StreamAborted, 78, () => pair.Remote.WriteAsync(new byte[1], Token).AsTask());
        await AssertAborted(QuicErrorKind.StreamAborted, 78, () => pair.Remote.WritesClosed);
        await AssertAborted(QuicErrorKind.OperationAborted, null, () => pair.Local.ReadAsync(new byte[1], Token).AsTask());
        await pair.Local.WriteAsync(new byte[3], completeWrites: true, Token);
        Assert.Equal(3, (await pair.Remote.ReadAllAsync()).Length);
    }

    [Fact]
    public async Task Disposing_ends_writes_and_gives_up_reads()
    {
        await using var pair = await StreamPair.CreateAsync();
        await pair.Local.WriteAsync("last words"u8.ToArray(), Token);
        Task dispose = pair.Local.DisposeAsync().AsTask();
        Assert.Equal("last words"u8.ToArray(), await pair.Remote.ReadAllAsync());
        await dispose;
        await pair.Local.DisposeAsync();
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => pair.Local.ReadAsync(new byte[1], Token).AsTask());
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Local.WriteAsync(new byte[1], Token));
        await AssertAborted(QuicErrorKind.StreamAborted, 0, () => pair.Remote.WritesClosed);
    }

    [Fact]
    public async Task Disposing_in_the_middle_of_a_write_does_not_look_like_an_end()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task waiting = pair.Local.WriteAsync(new byte[64 * 1024 * 1024], Token).AsTask();
        await pair.Local.DisposeAsync();
        _ = await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await AssertAborted(QuicErrorKind.StreamAborted, 0, () => pair.Remote.CopyToAsync(Stream.Null, Token));
    }

    [Fact]
    public async Task Two_operations_of_a_kind_at_once_are_a_mistake()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task<int> reading = pair.Local.ReadAsync(new byte[1], Token).AsTask();
        _ = await Assert.ThrowsAsync<InvalidOperationException>(() => pair.Local.ReadAsync(new byte[1], Token).AsTask());
        Task writing = pair.Local.WriteAsync(new byte[64 * 1024 * 1024], Token).AsTask();
        _ = await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Local.WriteAsync(new byte[1], Token));
        _ = Assert.Throws<InvalidOperationException>(pair.Local.CompleteWrites);
        await pair.Remote.WriteAsync(new byte[] { 5 }, Token);
        Assert.Equal(1, await reading);
        pair.Remote.Abort(QuicAbortDirection.Read, 1);
        await AssertAborted(QuicErrorKind.StreamAborted, 1, () => writing);
    }

    [Fact]
    public async Task An_empty_read_waits_for_something_and_takes_nothing()
    {
        await using var pair = await StreamPair.CreateAsync();
        ValueTask<int> waiting = pair.Local.ReadAsync(Memory<byte>.Empty, Token);
        Assert.False(waiting.IsCompleted);
        await pair.Remote.WriteAsync(new byte[] { 1, 2, 3 }, Token);
        Assert.Equal(0, await waiting);
        byte[] buffer = new byte[10];
        Assert.Equal(3, await pair.Local.ReadAsync(buffer, Token));
    }

    [Fact]
    public async Task Blocking_reads_and_writes_carry_the_same_bytes()
    {
        await using var pair = await StreamPair.CreateAsync();
        byte[] data = RandomNumberGenerator.GetBytes(9_000_000);
        Task write = Task.Factory.StartNew(
            () =>
            {
                pair.Local.WriteByte(data[0]);
                pair.Local.Write(data.AsSpan(1, 8_000_000));
                pair.Local.Write(data, 8_000_001, data.Length - 8_000_001);
                pair.Local.Flush();
                pair.Local.CompleteWrites();
            },
            Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        byte[] read = await Task.Factory.StartNew(
            () =>
            {
                using var all = new MemoryStream();
                all.WriteByte((byte)pair.Remote.ReadByte());
                pair.Remote.CopyTo(all);
                Assert.Equal(-1, pair.Remote.ReadByte());
                return all.ToArray();
            },
            Token,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        await write;
        Assert.Equal(SHA256.HashData(data), SHA256.HashData(read));
    }

    [Fact]
    public async Task A_blocked_read_ends_with_its_stream()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task<QuicException> reading = Task.Factory.StartNew(
            () => Assert.Throws<QuicException>(() => pair.Remote.ReadByte()), Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await pair.Client.CloseAsync(9, "bye", Token);
        QuicException exception = await reading;
        Assert.Equal((QuicErrorKind.ConnectionAborted, 9L, "bye"), (exception.Kind, exception.ApplicationErrorCode, exception.Reason));
    }

    [Fact]
    public async Task The_old_asynchronous_pattern_works()
    {
        await using var pair = await StreamPair.CreateAsync();
        await Task.Factory.FromAsync(pair.Local.BeginWrite, pair.Local.EndWrite, new byte[] { 1, 2, 3 }, 1, 2, state: null);
        byte[] buffer = new byte[10];
        Assert.Equal(2, await Task<int>.Factory.FromAsync(pair.Remote.BeginRead, pair.Remote.EndRead, buffer, 3, 7, state: null));
        Assert.Equal([2, 3], buffer[3..5]);
    }

    private static async Task AssertAborted(QuicErrorKind kind, long? code, Func<Task> action)
    {
        QuicException exception = await Assert.ThrowsAsync<QuicException>(() => action().WaitAsync(TimeSpan.FromSeconds(30), Token));
        Assert.Equal((kind, code), (exception.Kind, exception.ApplicationErrorCode));
    }
}
