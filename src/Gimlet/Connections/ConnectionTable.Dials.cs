using System.Threading.Channels;
using Gimlet.Hosting;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <content>Making connections, and taking those that peers make.</content>
internal sealed partial class ConnectionTable
{
    // The peer whose dial goes on is a round trip or two away from us; after this its dial has come to nothing.
    private static readonly TimeSpan JoinWait = TimeSpan.FromSeconds(5);

    // The hello leaves with the end of the handshake, and a bad network holds it up for as long as a handshake (PeerTable.ExpectedFor).
    private static readonly TimeSpan HelloWait = TimeSpan.FromSeconds(10);

    private const string AnotherTakesItsPlace = "another connection takes its place";

    // Each clears away what the two sides believed differently; three in a row mean that something else is wrong.
    private const int MaxStaleConnections = 3;

    /// <summary>Dials a peer.</summary>
    public async Task<GimletConnection> ConnectAsync(PeerId peer, ConnectOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string protocol = options.Protocol ?? _options.FirstProtocol ?? throw new GimletException(
            GimletErrorKind.BadUsage, "No application protocol is named.", "Name one in ConnectOptions.Protocol, or in GimletNodeOptions.Protocols.");
        CallId call = _host.Run(static (host, _, _) => host.Core.NewCallId(), 0);
        var dial = new Dial(call, peer, protocol, options.Policy ?? _options.EffectivePolicy, Time.GetTimestamp());
        IReadOnlyList<int> sessions = options.Ticket is { Servers.Count: > 0 } lead ? _host.SessionsWith(lead.Servers) : [];
        NodeLog.Dialling(_logger, call, peer);
        _ = _records.Begin(call, peer, dial.Policy);
        ReadOnlyMemory<byte> secret = options.Ticket is { } ticket ? ticket.Secret.ToArray() : default;
        return await RunAsync(
            dial,
            () =>
            {
                options.Dialing?.Invoke(call);
                DialRequest request = RequestOf(dial, secret, sessions);
                if (dial.Outcome.IsCompleted)
                {
                    // The peer's connection came before this side had said a word: a call would announce one that does not follow.
                    return dial.Outcome;
                }

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
                    dial.IsJoining = true;
                }

                return JoinOrCallAsync(dial, () => RequestOf(dial, secret, sessions), options.Race, cancellationToken);
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

    private static DialRequest RequestOf(Dial dial, ReadOnlyMemory<byte> secret, IReadOnlyList<int> sessions) =>
        new(dial.CurrentCall, dial.Peer, dial.Protocol) { TicketSecret = secret, WantsPaths = dial.Policy.AllowsDirect, Sessions = sessions };

    private async Task<GimletConnection> RunAsync(Dial dial, Func<Task<GimletConnection>> begin, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // Whoever closes the table fails the dials that are in the list, and nobody comes after that.
            ObjectDisposedException.ThrowIf(_isClosed, typeof(GimletNode));
            _dials.Add(dial);
        }

        bool connected = false;
        try
        {
            Task<GimletConnection> connecting = begin();
            ObserveFailure(connecting);
            GimletConnection connection = await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
            connected = true;
            return connection;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Cancelled while the connection was being made: it must not live on without an owner.
            dial.Fail(new OperationCanceledException(cancellationToken));
            if (dial.Outcome.IsCompletedSuccessfully)
            {
                GimletConnection late = await dial.Outcome.ConfigureAwait(false);
                await late.CloseAsync().ConfigureAwait(false);
            }

            throw;
        }
        finally
        {
            lock (_gate)
            {
                _ = _dials.Remove(dial);
            }

            if (!connected)
            {
                Abandon(dial);
                GimletErrorKind? kind = (dial.Outcome.Exception?.InnerException as GimletException)?.Kind;
                _records.End(dial.Call, kind ?? GimletErrorKind.TimedOut, null, RelayCause.NotIntroduced);
            }

            _host.TryRun(static (host, now, s) => host.Peers.EndDial(s.CurrentCall, s.connected, now), (dial.CurrentCall, connected));
        }
    }

    // Whoever cancels a dial does not hear any more what became of it.
    private static void ObserveFailure(Task task) => _ = task.ContinueWith(
        static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private async Task<GimletConnection> JoinOrCallAsync(Dial dial, Func<DialRequest> request, RaceOptions? race, CancellationToken cancellationToken)
    {
        GimletConnection connection = await OutcomeAsync(dial, request, race, cancellationToken).ConfigureAwait(false);
        if (race is not null)
        {
            await RaceAsync(dial, connection, race, cancellationToken).ConfigureAwait(false);
        }

        return connection;
    }

    private async Task<GimletConnection> OutcomeAsync(Dial dial, Func<DialRequest> request, RaceOptions? race, CancellationToken cancellationToken)
    {
        if (race is not null)
        {
            // What has not connected by either way within its time is a failure of both.
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
            Task late = Task.Delay(race.RelayTimeout > race.DirectTimeout ? race.RelayTimeout : race.DirectTimeout, Time, bound.Token);
            if (await Task.WhenAny(dial.Outcome, late).ConfigureAwait(false) == late && !bound.IsCancellationRequested)
            {
                dial.Fail(new GimletException(GimletErrorKind.TimedOut, $"Neither the relay nor a direct path led to {dial.Peer} within {race.RelayTimeout.TotalSeconds:0.#} s."));
            }

            await bound.CancelAsync().ConfigureAwait(false);
        }

        while (true)
        {
            Task wait = dial.IsJoining ? Task.Delay(JoinWait, Time, _stop.Token) : dial.Joined;
            if (await Task.WhenAny(dial.Outcome, wait).ConfigureAwait(false) == dial.Outcome || _stop.IsCancellationRequested)
            {
                return await dial.Outcome.ConfigureAwait(false);
            }

            if (wait == dial.Joined || dial.IsClaimed)
            {
                // What has claimed it says its hello, or lets it go.
                continue;
            }

            // The peer's dial came to nothing: this side's own, after all.
            CallId before = dial.CurrentCall;
            dial.StartOver(_host.Run(static (host, _, _) => host.Core.NewCallId(), 0));
            _host.TryRun(static (host, now, c) => host.Peers.EndDial(c, isConnected: false, now), before);
            _host.TryRun(static (host, now, r) => host.Peers.DialAfterAll(r, now), request());
            StartAttempt(dial);
        }
    }

    private void Join(Dial dial)
    {
        dial.Join();
        Abandon(dial);
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
                return;
            }

            if (!dial.TryTakeAttempt(quic) || !dial.TryClaim())
            {
                Leave(dial.Peer, quic);
                await quic.CloseAsync(CloseCodes.Superseded, AnotherTakesItsPlace).ConfigureAwait(false);
                return;
            }

            UseChosenPath(dial.Peer, member);
            var birth = new ConnectionBirth(dial.Peer, dial.SharedCall, dial.IsAuthenticated, dial.Policy, dial.StartedAt);
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
            bool isStale = e.Kind == QuicErrorKind.StatelessReset
                || (e.Kind == QuicErrorKind.ConnectionAborted && e.ApplicationErrorCode is CloseCodes.Superseded or CloseCodes.Restarted);
            if (isStale && ++dial.StaleConnections < MaxStaleConnections)
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
            Task first = await Task.WhenAny(dial.Direct, Task.Delay(dial.Policy.HeadStart, Time, _stop.Token)).ConfigureAwait(false);
            isDirect = first == dial.Direct && dial.Direct.IsCompletedSuccessfully;
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
            return direct is { } known
                ? _host.Paths.To(known.Remote)
                : throw new GimletException(GimletErrorKind.PunchFailed, "The direct path died in the moment in which it was to be used.", "Try again.");
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

    private void UseChosenPath(PeerId peer, Member member)
    {
        if (member.Policy.AllowsDirect && _host.Run(static (host, _, p) => host.Peers.DirectPathOf(p), peer) is { } direct)
        {
            _ = member.Quic.TryUsePath(_host.Paths.To(direct.Remote));
        }
    }

    private GimletConnection Create(QuicConnection quic, Member member, ConnectionBirth birth)
    {
        CallId? call = _host.Run(
            static (host, now, s) => host.Peers.AddConnection(s.Peer, s.Protocol, s.IsServer, s.Policy.AllowsDirect, now),
            (birth.Peer, Protocol: quic.NegotiatedApplicationProtocol.ToString(), quic.IsServer, birth.Policy));
        birth = birth with { Call = call ?? birth.Call };
        birth = birth with { CallRecord = _records.Find(birth.Call), Statistics = _host.Statistics };
        var connection = new GimletConnection(this, quic, birth);
        lock (_gate)
        {
            member.Connection = connection;
        }

        connection.Start();
        return connection;
    }

    // A direct path that works already carries the handshake's end, which saves half a round trip of the relay.
    private void Begun(QuicConnection quic)
    {
        if (_host.Run(static (host, _, q) => host.Peers.DirectPathOf(host.Paths.PeerOf(q.InitialPath)), quic) is { } direct)
        {
            _ = quic.TryUsePath(_host.Paths.To(direct.Remote));
        }
    }

    private async Task AcceptAllAsync(QuicListener listener)
    {
        try
        {
            while (true)
            {
                QuicConnection quic = await listener.AcceptConnectionAsync(_stop.Token).ConfigureAwait(false);
                try
                {
                    await TakeAsync(quic).ConfigureAwait(false);
                }
                catch (Exception e) when (e is QuicException or ObjectDisposedException)
                {
                    // It has ended, or the node is being disposed, in this very moment.
                    await quic.DisposeAsync().ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The node is being disposed.
        }
    }

    private async Task TakeAsync(QuicConnection quic)
    {
        PeerId peer = quic.RemoteCertificate is { } shown ? PeerId.FromPublicKey(shown.SubjectPublicKeyInfo.Span) : default;
        if (peer.IsEmpty || _host.Paths.PeerOf(quic.InitialPath) != peer)
        {
            // The key belongs to somebody who did not call on this path.
            NodeLog.WrongPeer(_logger, peer);
            await quic.CloseAsync(CloseCodes.WrongPeer).ConfigureAwait(false);
            return;
        }

        string protocol = quic.NegotiatedApplicationProtocol.ToString();
        Dial? dial = FindDial(d => d.Peer == peer && d.Protocol == protocol && !d.Outcome.IsCompleted && !d.IsClaimed);
        (bool isLost, bool isOutcome) = _host.Run(static (host, _, s) => Judge(host, s.dial, s.peer, s.protocol), (dial, peer, protocol));
        if (isLost)
        {
            // Both have dialled, and this side's goes on; or has become a connection already, and the peer had begun its own before it heard of that.
            await quic.CloseAsync(CloseCodes.Superseded).ConfigureAwait(false);
            return;
        }

        // Whether the peer wants a direct path for it, its hello says.
        PathPolicy policy = dial?.Policy ?? _options.EffectivePolicy;
        Member member = Enter(peer, quic, policy);
        var birth = new ConnectionBirth(peer, dial?.SharedCall ?? _host.Run(static (host, _, _) => host.Core.NewCallId(), 0), dial?.IsAuthenticated ?? true, policy, dial?.StartedAt ?? Time.GetTimestamp());
        GimletConnection connection = Create(quic, member, birth);
        UseChosenPath(peer, member);
        _ = GiveOutAsync(connection, isOutcome ? dial : null);
    }

    // In one step, with the host's lock held. Where both have called, the smaller id's goes on. Otherwise it is this one that the dial becomes: its
    // own attempt, which no call of the peer is waited for any more, might be complete in this moment, and one that has not called yet will not.
    private static (bool IsLost, bool IsOutcome) Judge(NodeHost host, Dial? dial, PeerId peer, string protocol)
    {
        bool isGlared = host.Peers.TakeGlare(peer, protocol);
        bool isOurs = host.Id < peer && (host.Peers.IsCalling(peer, protocol) || dial is { IsServerBased: false, IsJoining: false });
        return isGlared || isOurs ? (true, false) : (false, dial?.TryClaim() == true);
    }

    // To the dial that waited for it, or to the application that accepts. The end of the handshake shows that the peer began it, the hello that it
    // stands by it: whoever has lost a glare, or was given up meanwhile, says none, and ends it with its next word.
    private async Task GiveOutAsync(GimletConnection connection, Dial? dial)
    {
        try
        {
            if (!await connection.Greeted.WaitAsync(HelloWait, Time).ConfigureAwait(false))
            {
                LetGo(dial);
                return;
            }

            NodeLog.Accepted(_logger, connection.Call, connection.RemotePeer, connection.Protocol);
            if (dial?.TryComplete(connection) == true)
            {
                Abandon(dial);
            }
            else if (!_accepted.TryGetValue(connection.Protocol, out Channel<GimletConnection>? queue) || !queue.Writer.TryWrite(connection))
            {
                NodeLog.NobodyAccepts(_logger, connection.Call, connection.RemotePeer);
                await connection.CloseAsync(CloseCodes.NobodyAccepts, "nobody accepts").ConfigureAwait(false);
            }
        }
        catch (TimeoutException)
        {
            LetGo(dial);
            await connection.CloseAsync(CloseCodes.NobodyAccepts, "it said no hello").ConfigureAwait(false);
        }
        catch (Exception e) when (e is QuicException or ObjectDisposedException)
        {
            // It has ended, or the node is being disposed, in this very moment.
            await connection.Quic.DisposeAsync().ConfigureAwait(false);
        }
    }

    // The dial waits for the peer's next attempt, and then calls itself.
    private void LetGo(Dial? dial)
    {
        dial?.Release();
        if (dial is { IsServerBased: true, HasAttempt: false })
        {
            Join(dial);
        }
    }
}
