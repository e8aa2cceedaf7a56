namespace Gimlet.Sockets.Tests.Conformance;

// That the wait lasts as long as the buffer is full is shown where a buffer can be full: in Linux/SendBufferTests.
public abstract partial class DatagramSocketConformance
{
    [Fact]
    public void With_room_in_the_send_buffer_the_wait_completes_at_once_and_allocates_nothing()
    {
        DatagramSocket socket = Bind();
        int completed = 0;
        void Round()
        {
            ValueTask wait = socket.WaitToSendAsync(CancellationToken.None);
            completed += wait.IsCompletedSuccessfully ? 1 : 0;
            wait.GetAwaiter().GetResult();
        }

        Assert.Equal(0, Allocations.Of(Round, 200));
        Assert.Equal(1100, completed);
    }

    [Fact]
    public async Task A_wait_to_send_ends_with_its_token_and_with_the_socket()
    {
        DatagramSocket socket = Bind();
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await socket.WaitToSendAsync(cancel.Token));
        socket.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await socket.WaitToSendAsync(Deadline));
        Assert.Throws<ObjectDisposedException>(() => socket.SendSegments("xy"u8, 1, socket.LocalAddress, out _));
        Assert.Throws<ObjectDisposedException>(() => socket.SendSegments("xy"u8, 1, default, out _));
    }
}
