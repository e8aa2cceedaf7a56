using System.Net;
using System.Net.Security;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Foreigners;

/// <summary>A server of any of the three, with an identity of its own and, for ngtcp2, a folder with the file <c>/data</c>.</summary>
internal sealed class ForeignServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gimlet-interop-");
    private readonly List<IAsyncDisposable> _running = [];

    private ForeignServer(Foreign kind) => Kind = kind;

    public Foreign Kind { get; }

    public PeerIdentity Identity { get; } = new();

    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.None, 0);

    /// <summary>What a client of it offers.</summary>
    public SslApplicationProtocol Protocol => Kind == Foreign.Ngtcp2 ? SslApplicationProtocol.Http3 : Protocols.Interop;

    /// <summary>The program with events, where it is one of ours.</summary>
    public PeerServer Peer => _running.OfType<PeerServer>().Last();

    /// <summary>ngtcp2's.</summary>
    public Ngtcp2Server Ngtcp2 => _running.OfType<Ngtcp2Server>().Last();

    /// <summary>Starts a server.</summary>
    /// <param name="kind">Which one.</param>
    /// <param name="length">Of ngtcp2's file; the others give as much as is asked for.</param>
    /// <param name="options">Of the command line, which differ.</param>
    public static async Task<ForeignServer> StartAsync(Foreign kind, long length, params IReadOnlyList<string> options)
    {
        var server = new ForeignServer(kind);
        try
        {
            if (kind == Foreign.Ngtcp2)
            {
                await server.WriteFileAsync(length);
                Ngtcp2Server started = await Peers.Ngtcp2.ServeAsync(server.Identity, server._folder.FullName, options);
                server._running.Add(started);
                server.EndPoint = started.EndPoint;
            }
            else
            {
                PeerServer started = await Named(kind).ServeAsync(server.Identity, options);
                server._running.Add(started);
                server.EndPoint = started.EndPoint;
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until its client has closed.</summary>
    public Task WaitForCloseAsync() =>
        Kind == Foreign.Ngtcp2 ? Ngtcp2.WaitForAsync("frm rx", "CONNECTION_CLOSE") : Peer.WaitForEventAsync("closed");

    /// <summary>Ends the program as a crash would and starts it again, at the same address.</summary>
    public async Task RestartAsync(params IReadOnlyList<string> options)
    {
        await Peer.KillAsync();
        _running.Add(await Named(Kind).ServeAsync(Identity, [.. options, "--listen", EndPoint.ToString()]));
    }

    public static ForeignPeer Named(Foreign kind) => kind == Foreign.QuicGo ? ForeignPeer.QuicGo : ForeignPeer.Quinn;

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable running in _running)
        {
            await running.DisposeAsync();
        }

        _folder.Delete(recursive: true);
        Identity.Dispose();
    }

    private async Task WriteFileAsync(long length)
    {
        byte[] chunk = new byte[64 * 1024];
        await using FileStream file = File.Create(Path.Combine(_folder.FullName, "data"));
        for (long offset = 0; offset < length; offset += chunk.Length)
        {
            Memory<byte> part = chunk.AsMemory(0, (int)Math.Min(chunk.Length, length - offset));
            InteropPattern.Fill(part.Span, (ulong)offset);
            await file.WriteAsync(part, TestContext.Current.CancellationToken);
        }
    }
}
