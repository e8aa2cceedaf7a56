using System.Net;
using System.Net.Sockets;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Probes;

/// <summary>
/// Two public hosts with two ports each, which answer a question from any of the four, in the order they are asked to. Deliberately not STUN: what verifies the
/// lab must not share code with what the lab verifies.
/// </summary>
internal sealed class ProbeServer : IAsyncDisposable
{
    private const int FirstPort = 7001;
    private const int SecondPort = 7002;

    private readonly Socket[] _sockets;
    private readonly Task[] _loops;
    private readonly CancellationTokenSource _end = new();

    internal ProbeServer(LabSite site)
    {
        var (first, second) = (site.Hosts[0], site.Hosts[1]);
        _sockets = [Open(first, FirstPort), Open(first, SecondPort), Open(second, FirstPort), Open(second, SecondPort)];
        Endpoints = [.. _sockets.Select(socket => (IPEndPoint)socket.LocalEndPoint!)];
        _loops = [.. _sockets.Select(AnswerAsync)];
    }

    /// <summary>0 and 1 are ports of one address, 2 and 3 the same ports of another.</summary>
    internal IReadOnlyList<IPEndPoint> Endpoints { get; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_loops);
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        _end.Dispose();
    }

    private static Socket Open(LabHost host, int port) => host.OpenUdp(host.Address, port);

    private async Task AnswerAsync(Socket socket)
    {
        var buffer = new byte[ProbeMessage.MaxBytes];
        var anyone = new IPEndPoint(IPAddress.Any, 0);
        try
        {
            while (true)
            {
                var received = await socket.ReceiveFromAsync(buffer, anyone, _end.Token);
                var observed = (IPEndPoint)received.RemoteEndPoint;
                if (!ProbeMessage.TryReadQuestion(buffer.AsSpan(0, received.ReceivedBytes), out var nonce, out var answerFrom))
                {
                    continue;
                }

                foreach (var from in answerFrom)
                {
                    // Blocking sends, one after the other: the asker relies on the order.
                    _ = _sockets[from].SendTo(ProbeMessage.Answer(nonce, from, observed), observed);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server ends.
        }
    }
}
