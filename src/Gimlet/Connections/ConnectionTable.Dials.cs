using System.Threading.Channels;
using Gimlet.Hosting;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <content>Making connections.</content>
internal sealed partial class ConnectionTable
{
    // The peer whose dial goes on is a round trip or two away from us; after this its dial has come to nothing.
    private static readonly TimeSpan JoinWait = TimeSpan.FromSeconds(5);

    private const string AnotherTakesItsPlace = "another connection takes its place";

    /// <summary>Dials a peer.</summary>
    public async Task<GimletConnection> ConnectAsync(PeerId peer, ConnectOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string protocol = options.Protocol ?? _options.FirstProtocol ?? throw new GimletException(
            GimletErrorKind.BadUsage, "No application protocol is named.", "Name one in ConnectOptions.Protocol, or in GimletNodeOptions.Protocols.");
        CallId call = _host.Run(static (host, _, _) => host.Core.NewCallId(), 0);
        var dial = new Dial(call, peer, protocol, options.Policy ?? _options.EffectivePolicy, Time.GetTimestamp())
        {
            Race = options.Race,
            MaxStaleConnections = options.MaxStaleConnections,
        };
        IReadOnlyList<Uri> servers = options.Ticket?.Servers ?? [];
        _ = _host.SessionsWith(peer, servers);
        NodeLog.Dialling(_logger, call, peer);
        _ = _records.Begin(call, peer, dial.Policy);
        ReadOnlyMemory<byte> secret = options.Ticket is { } ticket ? ticket.Secret.ToArray() : default;
        return await RunAsync(
            dial,
            () =>
            {
                options.Dialing?.Invoke(call);
                DialRequest request = RequestOf(dial, secret, servers);

                // In one step with what TakeAsync asks: either the peer's connection finds that this side calls, or the dial finds that the
                // connection is there.
                if (_host.Run(static (host, now, s) => !s.dial.IsClaimed && host.Peers.TryBeginDial(s.request, now), (dial, request)))
                {
                    if (_host.Run(static (host, _, id) => host.Core.SessionOf(id), call) >= 0)
                    {
                        dial.NoteRouted();
                    }

                    StartAttempt(dial);
                }
                else
                {
                    // The peer's dial is on its way.
                    dial.IsJoining = true;
                    NoteAloneUnlessExpected(dial);
                }

                return JoinOrCallAsync(dial, () => RequestOf(dial, secret, servers), cancellationToken);
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Dials an address that was exchanged by hand.</summary>
    public async Task<GimletConnection> ConnectServerlessAsync(
        Func<CallId, Dial> create, Action<NodeCore, TimeSpan, CallId> begin, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CallId call = _host.Run(static (host, _, _) => host.Core.NewCallId(), 0);
        Dial dial = create(call);
        return await RunAsync(
            dial,
            () =>
            {
                _ = _host.Run(
                    static (host, now, s) =>
                    {
                        s.begin(host.Core, now, s.call);
                        return true;
                    },
                    (begin, call));
                return dial.Outcome;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A serverless call has a path: the smaller id is the QUIC client, the other waits for it.</summary>
    public void ServerlessMet(CallConnected met)
    {
        if (FindDial(d => d.CurrentCall == met.Handle && !d.IsServerBased) is not { } dial)
        {
            return;
        }

        dial.Peer = met.Peer;
        dial.SharedCall = met.Call;
        if (_host.Id < met.Peer)
        {
            StartAttempt(dial);
        }
        else
        {
            dial.IsJoining = true;
        }
    }

    public void ServerlessFailed(CallFailed failed) =>
        FindDial(d => d.CurrentCall == failed.Handle && !d.IsServerBased)?.Fail(new GimletException(failed.Kind, failed.Message, failed.Hint));

    // The sessions are asked for each time: one may have turned out to be with the same server as another, and is gone.
    private DialRequest RequestOf(Dial dial, ReadOnlyMemory<byte> secret, IReadOnlyList<Uri> servers) =>
        new(dial.CurrentCall, dial.Peer, dial.Protocol) { TicketSecret = secret, WantsPaths = dial.Policy.AllowsDirect, Sessions = _host.SessionsWith(dial.Peer, servers) };

    private async Task<GimletConnection> RunAsync(Dial dial, Func<Task<GimletConnection>> begin, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // Whoever closes the table fails the dials that are in the list, and nobody comes after that.
            ObjectDisposedException.ThrowIf(_isClosed, typeof(GimletNode));
            _dials.Add(dial);
        }

        GimletConnection? connected = null;
        Exception? failure = null;
        bool isPeers = false;
        try
        {
            Task<GimletConnection> connecting = begin();
            ObserveFailure(connecting);
            GimletConnection connection = await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
            connected = connection;
            isPeers = dial.IsServerBased && connection.IsIncoming;
            return connection;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Cancelled while the connection was being made: it must not live on without an owner.
            _records.Cancel(dial.CurrentCall);
            dial.Fail(new OperationCanceledException(cancellationToken));
            if (dial.Outcome.IsCompletedSuccessfully)
            {
                GimletConnection late = await dial.Outcome.ConfigureAwait(false);
                await late.CloseAsync().ConfigureAwait(false);
            }

            throw;
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            lock (_gate)
            {
                _ = _dials.Remove(dial);
            }

            if (connected is null)
            {
                Abandon(dial);
            }

            EndRecord(dial, connected, failure);

            // Where the peer's connection is the outcome, nothing comes of this side's own call, and the peer is not to wait for it.
            _host.TryRun(static (host, now, s) => host.Peers.EndDial(s.CurrentCall, s.isOwn, now), (dial.CurrentCall, isOwn: connected is not null && !isPeers));
        }
    }

    // The record of a dial whose own call became the connection ends with that; any other ends here.
    private void EndRecord(Dial dial, GimletConnection? connection, Exception? failure)
    {
        if (connection is null)
        {
            if (failure is GimletException { Kind: var kind })
            {
                _records.End(dial.CurrentCall, kind, null, dial.Introduced.IsCompletedSuccessfully ? RelayCause.StillTrying : RelayCause.NotIntroduced);
            }
            else
            {
                // Given up by the application, or with the node.
                _records.Cancel(dial.CurrentCall);
            }
        }
        else if (connection.Call != dial.CurrentCall)
        {
            _records.End(dial.CurrentCall, null, connection.Path?.Kind, CauseOf(connection));
        }
    }

    // Whoever cancels a dial does not hear any more what became of it.
    private static void ObserveFailure(Task task) => _ = task.ContinueWith(
        static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task<GimletConnection> JoinOrCallAsync(Dial dial, Func<DialRequest> request, CancellationToken cancellationToken)
    {
        GimletConnection connection = await OutcomeAsync(dial, request).ConfigureAwait(false);
        if (connection.IsIncoming && !dial.Policy.AllowsRelay)
        {
            await RequireDirectAsync(dial, connection).ConfigureAwait(false);
        }

        if (dial.Race is { } race)
        {
            await RaceAsync(dial, connection, race, cancellationToken).ConfigureAwait(false);
        }

        return connection;
    }

    private async Task<GimletConnection> OutcomeAsync(Dial dial, Func<DialRequest> request)
    {
        // What has not connected by either way within its time is a failure of both; a peer whose dial goes on has no more time than that either.
        TimeSpan bound = dial.Race is { } race ? Max(race.RelayTimeout, race.DirectTimeout) : Timeout.InfiniteTimeSpan;
        TimeSpan joinWait = dial.Race is null || bound > JoinWait ? JoinWait : bound;
        while (true)
        {
            bool isJoining = dial.IsJoining;
            TimeSpan left = isJoining ? joinWait : dial.Race is null ? bound : Max(bound - Time.GetElapsedTime(dial.BegunAt), TimeSpan.Zero);
            Task change = !isJoining ? dial.Joined : dial.IsClaimed ? dial.Outcome : dial.Alone;
            bool isInTime = await IsInTimeAsync(Task.WhenAny(dial.Outcome, change), left).ConfigureAwait(false);
            if (dial.Outcome.IsCompleted || _stop.IsCancellationRequested)
            {
                return await dial.Outcome.ConfigureAwait(false);
            }

            if (!isJoining)
            {
                if (!isInTime)
                {
                    dial.Fail(new GimletException(GimletErrorKind.TimedOut, $"Neither the relay nor a direct path led to {dial.Peer} within {bound.TotalSeconds:0.#} s."));
                }

                continue;
            }

            if (dial.IsClaimed)
            {
                // What has claimed it says its hello, or lets it go.
                continue;
            }

            // The peer's dial came to nothing: this side's own, after all. Where it has ended the peer may have dialled again meanwhile, and that one goes on.
            bool isAlone = dial.Alone.IsCompleted;
            CallId before = dial.CurrentCall;
            dial.StartOver(_host.Run(static (host, _, _) => host.Core.NewCallId(), 0), Time.GetTimestamp());
            _records.Rename(before, dial.CurrentCall);
            _host.TryRun(static (host, now, c) => host.Peers.EndDial(c, isConnected: false, now), before);
            bool isOwn = _host.Run(
                static (host, now, s) =>
                {
                    if (s.isAlone)
                    {
                        return host.Peers.TryBeginDial(s.Request, now);
                    }

                    host.Peers.DialAfterAll(s.Request, now);
                    return true;
                },
                (isAlone, Request: request()));
            if (isOwn)
            {
                StartAttempt(dial);
            }
            else
            {
                dial.IsJoining = true;
                NoteAloneUnlessExpected(dial);
            }
        }
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    // False when the time is over, or the node is being disposed. The timer does not outlive the wait, and its end costs no turn of the scheduler.
    private async Task<bool> IsInTimeAsync(Task task, TimeSpan time)
    {
        try
        {
            await task.WaitAsync(time, Time, _stop.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return task.IsCompleted;
        }
    }

    private void Join(Dial dial)
    {
        dial.Join();
        Abandon(dial);
    }

    // The peer's dial may have ended between the question and the decision to wait for it.
    private void NoteAloneUnlessExpected(Dial dial)
    {
        if (!_host.Run(static (host, _, d) => host.Peers.IsExpected(d.Peer, d.Protocol), dial))
        {
            dial.NoteAlone();
        }
    }

    private void Abandon(Dial dial)
    {
        if (dial.TakeAttempt() is { } attempt)
        {
            Leave(dial.Peer, attempt);
            attempt.Host.Close(CloseCodes.Superseded, string.Empty);
        }
    }

    // False when the handshake is complete: then the peer has the connection, or will have it, and would know nothing of another one.
    private bool TryBeginAgain(Dial dial, QuicConnection attempt)
    {
        bool isTaken = false;
        bool isAgain = attempt.Host.TryCloseHandshake(() => isTaken = dial.TryTakeAttempt(attempt), CloseCodes.Superseded, string.Empty);
        if (isTaken)
        {
            Leave(dial.Peer, attempt);
            StartAttempt(dial);
        }

        return isAgain;
    }

    // Makes the QUIC connection; its end is the dial's.
    private void StartAttempt(Dial dial) => _ = BeginAsync(dial);

    private async Task BeginAsync(Dial dial)
    {
        QuicConnection? quic = null;
        try
        {
            if (dial.Policy.AllowsDirect && HasDirectPath(dial.Peer))
            {
                // Nobody looks for a path that is there, and so nobody would tell.
                dial.NoteDirect();
            }

            QuicPath path = await FirstPathAsync(dial).ConfigureAwait(false);
            if (dial.Outcome.IsCompleted || dial.IsJoining)
            {
                return;
            }

            quic = _host.Quic.BeginConnect(path, _host.QuicOptions.Client(dial.Protocol, dial.Peer));
            dial.Attempt = quic;
            Member member = Enter(dial.Peer, quic, dial.Policy);
            if (dial.Outcome.IsCompleted || dial.IsJoining)
            {
                // Given up in this very moment, perhaps before there was anything to abandon.
                Abandon(dial);
                return;
            }

            UseChosenPath(dial.Peer, member);
            await quic.Connected.ConfigureAwait(false);
            if (dial.IsServerBased && _host.Id > dial.Peer && _host.Run(static (host, _, d) => host.Peers.IsExpected(d.Peer, d.Protocol), dial))
            {
                // The peer's dial was accepted meanwhile and goes on; that this one is rejected may be on its way still.
                Join(dial);
                NoteAloneUnlessExpected(dial);
                return;
            }

            if (!dial.TryTakeAttempt(quic) || !dial.TryClaim())
            {
                Leave(dial.Peer, quic);
                await quic.CloseAsync(CloseCodes.Superseded, AnotherTakesItsPlace).ConfigureAwait(false);
                return;
            }

            UseChosenPath(dial.Peer, member);
            var birth = new ConnectionBirth(dial.Peer, dial.SharedCall, dial.IsAuthenticated, dial.Policy, dial.StartedAt) { Races = dial.Race is not null };
            GimletConnection connection = Create(quic, member, birth);
            Task control = connection.BeginControlAsync();
            if (!dial.TryComplete(connection))
            {
                await connection.CloseAsync(CloseCodes.Superseded, AnotherTakesItsPlace).ConfigureAwait(false);
            }

            await control.ConfigureAwait(false);
        }
        catch (QuicException e)
        {
            if (quic is null || !dial.TryTakeAttempt(quic))
            {
                return;
            }

            Leave(dial.Peer, quic);
            if (EndText.IsStale(e) && dial.TakeStale())
            {
                // Half of a connection that only one side believed in is cleared away; the next try meets none.
                StartAttempt(dial);
                return;
            }

            dial.Fail(EndText.ToFailure(e, dial.Peer));
        }
        catch (Exception e) when (e is GimletException or OperationCanceledException or ObjectDisposedException)
        {
            dial.Fail(e);
        }
    }

    private async Task<QuicPath> FirstPathAsync(Dial dial)
    {
        bool isDirect = !dial.IsServerBased || dial.Policy.Kind == PathPolicyKind.DirectOnly;
        if (dial.Policy.Kind == PathPolicyKind.DirectHeadStart)
        {
            // A dial that has become the peer's connection meanwhile does not wait for its head start to be over.
            _ = await IsInTimeAsync(Task.WhenAny(dial.Direct, dial.Outcome), dial.Policy.HeadStart).ConfigureAwait(false);
            isDirect = dial.Direct.IsCompletedSuccessfully;
        }

        if (isDirect)
        {
            if (_host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), dial.Peer) is null)
            {
                await dial.Direct.ConfigureAwait(false);
            }
            else if (dial.IsServerBased)
            {
                await dial.Introduced.ConfigureAwait(false);
            }

            PathInfo? direct = _host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), dial.Peer);
            if (direct is { } known)
            {
                return _host.Paths.To(known.Remote);
            }

            if (!dial.IsServerBased || !dial.Policy.AllowsRelay)
            {
                throw new GimletException(GimletErrorKind.PunchFailed, "The direct path died in the moment in which it was to be used.", "Try again.");
            }
        }

        if (dial.Policy.AllowsDirect && _host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), dial.Peer) is not null)
        {
            // The peer takes a connection only after it has heard of the call, which goes by the server; ours would be there sooner.
            await dial.Introduced.ConfigureAwait(false);
            if (_host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), dial.Peer) is { } shared)
            {
                return _host.Paths.To(shared.Remote);
            }
        }

        // Which server carries the call is known at once, unless none is registered with at the moment.
        await Task.WhenAny(dial.Routed, dial.Direct).ConfigureAwait(false);
        if (_host.Run(static (host, _, p) => host.CanRelayTo(p), dial.Peer))
        {
            return _host.Paths.ToRelay(dial.Peer, session: -1);
        }

        // That server does not relay, which leaves the direct path; one that died in this moment is not waited for.
        await dial.Direct.ConfigureAwait(false);
        return _host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), dial.Peer) is { } found && dial.Policy.AllowsDirect
            ? _host.Paths.To(found.Remote)
            : throw new GimletException(
                GimletErrorKind.RendezvousNoRelay, $"The server does not relay to {dial.Peer}, and there is no direct path that this connection may use.", "Use a server that relays, or try again.");
    }

    private GimletConnection Create(QuicConnection quic, Member member, ConnectionBirth birth)
    {
        CallId? call = _host.Run(
            static (host, now, s) => host.Peers.AddConnection(s.Peer, s.Protocol, s.IsServer, s.Policy.AllowsDirect, now),
            (birth.Peer, Protocol: quic.NegotiatedApplicationProtocol.ToString(), quic.IsServer, birth.Policy));
        birth = birth with
        {
            Call = call ?? birth.Call,
            CallRecord = call is { } peers ? _records.FindIncoming(peers, birth.Peer) : _records.Find(birth.Call),
            Statistics = _host.Statistics,
        };
        var connection = new GimletConnection(this, quic, birth);
        lock (_gate)
        {
            member.Connection = connection;
        }

        connection.Start();
        return connection;
    }
}
