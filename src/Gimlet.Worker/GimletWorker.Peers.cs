using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gimlet.Worker.Rendezvous;
using Gimlet.Worker.Session;

namespace Gimlet.Worker;

/// <content>What the session wants done: dials, connections, and the question for the own address.</content>
public sealed partial class GimletWorker
{
    // The connection is closed with these; the numbers below are the node's own (docs/protocol.md section 7).
    private const long UnwantedCode = 16;
    private const long RefusedCode = 17;

    // One round trip over any relay, sent again once.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    // A courtesy: who is slow to answer is not asked again.
    private static readonly TimeSpan OwnAddressTimeout = TimeSpan.FromSeconds(2);

    private const int MaxOwnAddressBody = 1024;

    private readonly Dictionary<int, CancellationTokenSource> _dials = [];
    private readonly ConcurrentDictionary<int, GimletConnection> _connections = new();
    private readonly ConcurrentDictionary<Task, Task> _work = new();
    private AddressWatch? _address;
    private int _connectionNumbers;

    private GimletNode Node => _node ?? throw new InvalidOperationException("The session dials only when the node is there.");

    private void Do(WorkerAction action)
    {
        switch (action)
        {
            case SendMessage send:
                // Where there is no link any more, its end is on its way to the session.
                _ = _link.TrySend(send.Frame);
                break;
            case DialPeer dial:
                StartDial(dial.Attempt, ct => Node.ConnectAsync(dial.Peer, ct));
                break;
            case DialAddress dial:
                StartDial(dial.Attempt, ct => Node.ConnectAsync(dial.Address, peer: null, cancellationToken: ct));
                break;
            case CancelDial cancel:
                Cancel(cancel.Attempt);
                break;
            case AdoptConnection adopt:
                Track(AdoptAsync(adopt));
                break;
            case CloseConnection close:
                Track(CloseAsync(close.Connection, UnwantedCode, close.Reason));
                break;
            case ProbeConnection probe:
                Track(ProbeAsync(probe.Connection));
                break;
            case LeaveRendezvous:
                Track(_link.LeaveAsync());
                break;
            case TellNews tell:
                Report(tell.News);
                break;
            default:
                break;
        }
    }

    private void Track(Task work)
    {
        _work[work] = work;
        _ = work.ContinueWith(
            static (done, state) =>
            {
                var worker = (GimletWorker)state!;
                _ = worker._work.TryRemove(done, out _);
                if (done.Exception is { } fault)
                {
                    WorkerLog.Bug(worker._logger, fault);
                }
            },
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void StartDial(int attempt, Func<CancellationToken, Task<GimletConnection>> dial)
    {
        var dialling = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _dials[attempt] = dialling;
        Track(DialAsync(attempt, dial, dialling));
    }

    private async Task DialAsync(int attempt, Func<CancellationToken, Task<GimletConnection>> dial, CancellationTokenSource dialling)
    {
        try
        {
            GimletConnection connection = await dial(dialling.Token).ConfigureAwait(false);
            int number = Hold(connection);
            Post((w, now) => w._session.HandleDialled(attempt, number, now));
        }
        catch (GimletException e)
        {
            Post((w, now) => w._session.HandleDialFailed(attempt, e, now));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // Nobody waits for it any more.
        }
        finally
        {
            Post((w, _) => w.Forget(attempt, dialling));
        }
    }

    private void Cancel(int attempt)
    {
        if (_dials.TryGetValue(attempt, out CancellationTokenSource? dialling))
        {
            dialling.Cancel();
        }
    }

    private void Forget(int attempt, CancellationTokenSource dialling)
    {
        _ = _dials.Remove(attempt);
        dialling.Dispose();
    }

    private async Task AcceptConnectionsAsync(GimletNode node)
    {
        try
        {
            while (true)
            {
                GimletConnection connection = await node.AcceptAsync(Protocol, _stop.Token).ConfigureAwait(false);
                int number = Hold(connection);
                Post((w, now) => w._session.HandleAccepted(number, connection.RemotePeer, now));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The worker ends.
        }
    }

    private int Hold(GimletConnection connection)
    {
        int number = Interlocked.Increment(ref _connectionNumbers);
        _connections[number] = connection;
        Track(WatchAsync(number, connection));
        return number;
    }

    private async Task WatchAsync(int number, GimletConnection connection)
    {
        string reason = await connection.Closed.ConfigureAwait(false);
        _ = _connections.TryRemove(number, out _);
        WorkerLog.Closed(_logger, connection.RemotePeer, reason);
        Post((w, now) => w._session.HandleConnectionClosed(number, now));
    }

    private async Task AdoptAsync(AdoptConnection adopt)
    {
        if (!_connections.TryGetValue(adopt.Connection, out GimletConnection? connection))
        {
            // It has ended already, and the session hears of it.
            return;
        }

        try
        {
            if (_options.GroupSecret is { } secret)
            {
                await GroupProof.ExchangeAsync(connection, PeerId, secret, _stop.Token).ConfigureAwait(false);
            }

            Post((w, _) => w._session.HandleHandedOver(adopt.Connection));
            if (_options.OnePeer)
            {
                Post((w, _) => w._session.HandleLastPeer(adopt.Connection));
            }

            _ = _peers.Writer.TryWrite(new WorkerPeer(adopt.WorkerId, adopt.PeerId, connection, _options.OnePeer ? _link.LeaveAsync : static () => Task.CompletedTask));
        }
        catch (GimletException e)
        {
            Post((w, _) => w.Report(new WorkerTrouble(e)));
            await CloseAsync(adopt.Connection, RefusedCode, "refused").ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The worker ends, and its connections with it.
        }
    }

    private async Task CloseAsync(int number, long code, string reason)
    {
        if (_connections.TryGetValue(number, out GimletConnection? connection))
        {
            await connection.CloseAsync(code, reason).ConfigureAwait(false);
        }
    }

    private async Task ProbeAsync(int number)
    {
        bool isAlive = false;
        if (_connections.TryGetValue(number, out GimletConnection? connection))
        {
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            bound.CancelAfter(ProbeTimeout);
            try
            {
                _ = await connection.PingAsync(bound.Token).ConfigureAwait(false);
                isAlive = true;
            }
            catch (Exception e) when (e is GimletException or OperationCanceledException)
            {
                // That is the answer.
            }
        }

        Post((w, now) => w._session.HandleProbed(number, isAlive, now));
    }

    private async Task AskOwnAddressAsync()
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        bound.CancelAfter(OwnAddressTimeout);
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { MaxResponseContentBufferSize = MaxOwnAddressBody };
            if (_options.Token is { } token)
            {
                http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }

            byte[] body = await http.GetByteArrayAsync(RendezvousAddress.OfOwnAddress(_options.Rendezvous), bound.Token).ConfigureAwait(false);
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("ip", out JsonElement ip)
                && ip.ValueKind == JsonValueKind.String && IPAddress.TryParse(ip.GetString(), out IPAddress? address))
            {
                Post((w, _) => w._session.SetSeenAddress(address.ToString()));
            }
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or InvalidOperationException)
        {
            // A rendezvous need not have this; nothing depends on it.
        }
    }
}
