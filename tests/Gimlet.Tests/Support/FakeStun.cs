using System.Net;
using System.Net.Sockets;
using Gimlet.Sockets;
using Gimlet.Stun;
using Gimlet.Stun.Attributes;

namespace Gimlet.Tests.Support;

/// <summary>A STUN server on loopback that answers what a test tells it.</summary>
internal sealed class FakeStun : IAsyncDisposable
{
    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private int _requests;

    /// <summary>Makes a server.</summary>
    /// <param name="answer">The answer to a request; null for none.</param>
    public FakeStun(Func<byte[], IPEndPoint, Task<byte[]?>> answer) => _loop = ServeAsync(answer);

    public string Name => $"127.0.0.1:{((IPEndPoint)_socket.Client.LocalEndPoint!).Port}";

    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Says that it sees this address.</summary>
    public static FakeStun Seeing(string address) => new((request, _) => Task.FromResult<byte[]?>(Response(request, TransportAddress.Parse(address))));

    /// <summary>Says what it sees.</summary>
    public static FakeStun Honest() => new((request, from) => Task.FromResult<byte[]?>(Response(request, new TransportAddress(from))));

    public static FakeStun Silent() => new((_, _) => Task.FromResult<byte[]?>(null));

    public static FakeStun Garbage() => new((_, _) => Task.FromResult<byte[]?>("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray()));

    /// <summary>Answers only when the gate opens.</summary>
    public static FakeStun Late(Task gate, string address) => new(async (request, _) =>
    {
        await gate;
        return Response(request, TransportAddress.Parse(address));
    });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _socket.Dispose();
        _stop.Dispose();
    }

    private static byte[] Response(byte[] request, TransportAddress mapped)
    {
        Assert.True(StunMessage.TryParse(request, out StunMessage message));
        byte[] buffer = new byte[256];
        var builder = StunMessageBuilder.ResponseTo(buffer, StunClass.Success, message);
        builder.AddXorMappedAddress(mapped);
        return buffer[..builder.Length];
    }

    private async Task ServeAsync(Func<byte[], IPEndPoint, Task<byte[]?>> answer)
    {
        var answers = new List<Task>();
        try
        {
            while (true)
            {
                UdpReceiveResult request = await _socket.ReceiveAsync(_stop.Token);
                _ = Interlocked.Increment(ref _requests);
                answers.Add(AnswerAsync(request));
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }

        await Task.WhenAll(answers);

        async Task AnswerAsync(UdpReceiveResult request)
        {
            try
            {
                if (await answer(request.Buffer, request.RemoteEndPoint).WaitAsync(_stop.Token) is { } bytes)
                {
                    _ = await _socket.SendAsync(bytes, request.RemoteEndPoint, _stop.Token);
                }
            }
            catch (OperationCanceledException)
            {
                // Disposed.
            }
        }
    }
}
