using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

/// <summary>A connection that ends while a pipe's reader waits for the rest of a message, or has bytes in its hands.</summary>
public sealed class PipeEndTests
{
    // Of a wait that the defect made endless.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_waits_for_the_rest_of_a_message_hears_why_the_peer_closed()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task<ReadResult> waiting = await WaitForMoreThanHalfAMessageAsync(pair.Local, pair.Remote);
        await pair.Client.CloseAsync(77, "enough", Token);
        QuicException exception = await Assert.ThrowsAsync<QuicException>(() => waiting.WaitAsync(Limit, Token));
        Assert.Equal((QuicErrorKind.ConnectionAborted, 77L, "enough"), (exception.Kind, exception.ApplicationErrorCode, exception.Reason));
        exception = await Assert.ThrowsAsync<QuicException>(async () => await pair.Remote.Input.ReadAsync(Token));
        Assert.Equal(77, exception.ApplicationErrorCode);

        // What came in front of the close is there all the same, for whoever wants it.
        byte[] buffer = new byte[10];
        Assert.Equal(4, await pair.Remote.ReadAsync(buffer, Token));
        Assert.Equal("half", Encoding.ASCII.GetString(buffer, 0, 4));
        _ = await Assert.ThrowsAsync<QuicException>(() => pair.Remote.ReadsClosed.WaitAsync(Limit, Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_waits_for_the_rest_of_a_message_hears_that_an_endpoint_was_disposed(bool isOwn)
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicStream local, QuicStream remote) = await OpenAsync(endpoints);
        Task<ReadResult> waiting = await WaitForMoreThanHalfAMessageAsync(local, remote);
        await (isOwn ? endpoints.Server : endpoints.Client).DisposeAsync();
        QuicException exception = await Assert.ThrowsAsync<QuicException>(() => waiting.WaitAsync(Limit, Token));
        Assert.Equal(isOwn ? QuicErrorKind.OperationAborted : QuicErrorKind.ConnectionAborted, exception.Kind);
    }

    [Fact]
    public async Task Bytes_in_somebodys_hands_stay_when_the_endpoint_goes_and_reading_ends_with_the_reason()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicStream local, QuicStream remote) = await OpenAsync(endpoints);
        await local.WriteAsync("half"u8.ToArray(), Token);
        ReadResult result = await remote.Input.ReadAsync(Token);
        Assert.False(remote.ReadsClosed.IsCompleted);
        await endpoints.Server.DisposeAsync();
        Assert.Equal("half", Encoding.ASCII.GetString(result.Buffer));
        remote.Input.AdvanceTo(result.Buffer.GetPosition(1), result.Buffer.End);
        QuicException exception = await Assert.ThrowsAsync<QuicException>(() => remote.Input.ReadAsync(Token).AsTask().WaitAsync(Limit, Token));
        Assert.Equal(QuicErrorKind.OperationAborted, exception.Kind);
        _ = await Assert.ThrowsAsync<QuicException>(async () => Assert.Equal(0, await remote.ReadAsync(new byte[1], Token)));
        _ = await Assert.ThrowsAsync<QuicException>(() => remote.ReadsClosed.WaitAsync(Limit, Token));
    }

    // A close of the peer's is taken with one datagram of a batch, and told when the batch is complete.
    [Fact]
    public async Task A_connection_that_is_abandoned_before_anybody_was_told_of_its_close_says_why_it_closed()
    {
        await using var pair = await StreamPair.CreateAsync();
        Task<ReadResult> waiting = await WaitForMoreThanHalfAMessageAsync(pair.Local, pair.Remote);
        lock (pair.Server.Host.Gate)
        {
            pair.Server.Host.Core.Close(pair.Server.Host.Now, 78, "not told");
            pair.Server.Host.Abandon();
        }

        QuicException exception = await Assert.ThrowsAsync<QuicException>(() => waiting.WaitAsync(Limit, Token));
        Assert.Equal("not told", exception.Reason);
        Assert.Equal("not told", (await pair.Server.Closed.WaitAsync(Limit, Token)).Reason);
    }

    private static async Task<(QuicStream Local, QuicStream Remote)> OpenAsync(TestEndpoints endpoints)
    {
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        QuicStream local = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        await local.WriteAsync(new byte[1], Token);
        QuicStream remote = await server.AcceptStreamAsync(Token);
        Assert.Equal(1, await remote.ReadAsync(new byte[1], Token));
        return (local, remote);
    }

    private static async Task<Task<ReadResult>> WaitForMoreThanHalfAMessageAsync(QuicStream local, QuicStream remote)
    {
        await local.WriteAsync("half"u8.ToArray(), Token);
        ReadResult result = await remote.Input.ReadAsync(Token);
        Assert.Equal(4, result.Buffer.Length);
        remote.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        Task<ReadResult> waiting = remote.Input.ReadAsync(Token).AsTask();
        Assert.False(waiting.IsCompleted);
        return waiting;
    }
}
