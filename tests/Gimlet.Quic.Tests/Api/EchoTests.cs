using System.Security.Cryptography;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class EchoTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_is_made_and_both_sides_know_whom_with()
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        Assert.Equal(TestEndpoints.Protocol, client.NegotiatedApplicationProtocol);
        Assert.Equal(TestEndpoints.Protocol, server.NegotiatedApplicationProtocol);
        Assert.False(client.IsServer);
        Assert.True(server.IsServer);
        Assert.Equal(TestEndpoints.ServerOptions.Certificate.SubjectPublicKeyInfo, client.RemoteCertificate!.SubjectPublicKeyInfo);
        Assert.Equal(TestEndpoints.ServerOptions.Certificate.SubjectPublicKeyInfo, server.RemoteCertificate!.SubjectPublicKeyInfo);
        Assert.Equal(endpoints.Server.LocalEndPoint, client.RemoteEndPoint);
        Assert.Equal(endpoints.Client.LocalEndPoint, server.RemoteEndPoint);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(20_000_000)]
    public async Task What_is_written_is_read_and_the_end_after_it(int length)
    {
        await using var endpoints = TestEndpoints.Create();
        (QuicConnection client, QuicConnection server) = await endpoints.ConnectAsync();
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        QuicStream stream = await client.OpenStreamAsync(QuicStreamType.Bidirectional, Token);
        Task echo = EchoAsync(server);
        Task write = stream.WriteAsync(data, completeWrites: true, Token).AsTask();
        using var read = new MemoryStream();
        await stream.CopyToAsync(read, Token);
        await write;
        await echo;
        Assert.Equal(SHA256.HashData(data), SHA256.HashData(read.ToArray()));
        await stream.ReadsClosed.WaitAsync(Token);
        await stream.WritesClosed.WaitAsync(Token);
        Assert.Equal(length, stream.BytesRead);
        Assert.Equal(length, stream.BytesWritten);
    }

    private static async Task EchoAsync(QuicConnection connection)
    {
        await using QuicStream stream = await connection.AcceptStreamAsync(Token);
        await stream.CopyToAsync(stream, Token);
        stream.CompleteWrites();
    }
}
