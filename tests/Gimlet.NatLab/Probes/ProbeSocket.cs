using System.Net;
using System.Net.Sockets;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Probes;

/// <summary>A UDP socket on a lab host that asks the probe server.</summary>
internal sealed class ProbeSocket(LabHost host, int port = 0) : IDisposable
{
    // Far above any round trip of the lab: only a blocked path ever waits this long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly IPEndPoint Anyone = new(IPAddress.Any, 0);
    private static ulong _lastNonce;

    private readonly byte[] _buffer = new byte[ProbeMessage.MaxBytes];

    internal Socket Socket { get; } = host.OpenUdp(port: port);

    internal IPEndPoint Local => new(host.Address!, ((IPEndPoint)Socket.LocalEndPoint!).Port);

    /// <summary>Asks the endpoints <paramref name="to"/>, each once and all at the same time, what they see. Null: nothing came back.</summary>
    internal async Task<IReadOnlyList<IPEndPoint>?> MappedAsync(ProbeServer server, params int[] to)
    {
        var nonce = Interlocked.Increment(ref _lastNonce);
        foreach (var endpoint in to)
        {
            await Socket.SendToAsync(ProbeMessage.Question(nonce, endpoint), server.Endpoints[endpoint]);
        }

        var answers = await CollectAsync(nonce, answers => answers.Count == to.Length);
        return answers.Count == to.Length ? [.. to.Select(endpoint => answers.Single(answer => answer.From == endpoint).Observed)] : null;
    }

    /// <summary>
    /// Asks endpoint 0 to have <paramref name="answerFrom"/> answer, and returns who got through. Not by waiting: a second question is asked of
    /// endpoint 0 once the first was answered, and whoever has not been heard when that answer is here was filtered (the lab's paths keep order).
    /// </summary>
    internal async Task<IReadOnlySet<int>> WhoGetsThroughAsync(ProbeServer server, params int[] answerFrom)
    {
        var nonce = Interlocked.Increment(ref _lastNonce);
        await Socket.SendToAsync(ProbeMessage.Question(nonce, [.. answerFrom, 0]), server.Endpoints[0]);
        var first = await CollectAsync(nonce, answers => answers.Any(answer => answer.From == 0));
        await Socket.SendToAsync(ProbeMessage.Question(nonce, 0), server.Endpoints[0]);
        var second = await CollectAsync(nonce, answers => answers.Any(answer => answer.From == 0));
        return first.Concat(second).Select(answer => answer.From).Where(from => from != 0).ToHashSet();
    }

    /// <summary>Sends to another probe socket's mapped address.</summary>
    internal async Task SendAsync(ReadOnlyMemory<byte> message, IPEndPoint to) => await Socket.SendToAsync(message, to);

    /// <summary>What came, from anyone, until endpoint 0 has answered a question asked now.</summary>
    internal async Task<IReadOnlyList<(IPEndPoint From, byte[] Message)>> DrainAsync(ProbeServer server)
    {
        var nonce = Interlocked.Increment(ref _lastNonce);
        await Socket.SendToAsync(ProbeMessage.Question(nonce, 0), server.Endpoints[0]);
        var came = new List<(IPEndPoint, byte[])>();
        await foreach (var (from, message) in ReceiveAsync())
        {
            if (ProbeMessage.TryReadAnswer(message, nonce, out _))
            {
                break;
            }

            came.Add((from, message));
        }

        return came;
    }

    public void Dispose() => Socket.Dispose();

    private async Task<List<ProbeAnswer>> CollectAsync(ulong nonce, Predicate<List<ProbeAnswer>> isComplete)
    {
        var answers = new List<ProbeAnswer>();
        await foreach (var (_, message) in ReceiveAsync())
        {
            if (ProbeMessage.TryReadAnswer(message, nonce, out var answer))
            {
                answers.Add(answer);
                if (isComplete(answers))
                {
                    break;
                }
            }
        }

        return answers;
    }

    private async IAsyncEnumerable<(IPEndPoint From, byte[] Message)> ReceiveAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            SocketReceiveFromResult received;
            try
            {
                received = await Socket.ReceiveFromAsync(_buffer, Anyone, patience.Token);
            }
            catch (OperationCanceledException)
            {
                yield break;
            }

            yield return ((IPEndPoint)received.RemoteEndPoint, _buffer[..received.ReceivedBytes]);
        }
    }
}
