using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Tests.Server.Hosting;

/// <summary>A client on the framework's own socket, so that the server's socket type is not tested against itself.</summary>
internal sealed class StunTestClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;
    private readonly CancellationTokenSource _deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

    public StunTestClient(string address = "127.0.0.1")
    {
        IPAddress ip = IPAddress.Parse(address);
        _socket = new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Bind(new IPEndPoint(ip, 0));
        _deadline.CancelAfter(Patience);
    }

    public TransportAddress LocalAddress => new((IPEndPoint)_socket.LocalEndPoint!);

    public static byte[] BindingRequest(ChangeRequest? change = null, bool observe = false)
    {
        var builder = new StunMessageBuilder(
            new byte[200], StunClass.Request, StunMethod.Binding, StunTransactionId.Create(RandomNumberGenerator.Fill));
        if (change is ChangeRequest asked)
        {
            builder.AddChangeRequest(asked);
        }

        if (observe)
        {
            builder.AddGimletObserve();
        }

        return builder.Written.ToArray();
    }

    public void Send(byte[] datagram, TransportAddress server) => _socket.SendTo(datagram, server.ToIPEndPoint());

    /// <summary>The next datagram and where it came from.</summary>
    public async Task<(byte[] Bytes, TransportAddress From)> ReceiveAsync()
    {
        byte[] buffer = new byte[65535];
        IPEndPoint any = new(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        SocketReceiveFromResult result = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, any, _deadline.Token);
        return (buffer[..result.ReceivedBytes], new TransportAddress((IPEndPoint)result.RemoteEndPoint));
    }

    public async Task<(byte[] Bytes, TransportAddress From)> AskAsync(byte[] request, TransportAddress server)
    {
        Send(request, server);
        (byte[] bytes, TransportAddress from) = await ReceiveAsync();
        Assert.Equal(request[4..20], bytes[4..20]); // cookie and transaction id
        return (bytes, from);
    }

    public static StunMessage Parse(byte[] bytes)
    {
        Assert.True(StunMessage.TryParseAny(bytes, out StunMessage message));
        return message;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _deadline.Dispose();
    }
}
