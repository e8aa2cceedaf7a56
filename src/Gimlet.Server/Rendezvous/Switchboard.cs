using System.Collections.Concurrent;
using Gimlet.Identity;
using Gimlet.Server.Observability;
using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>
/// Calls: from a caller's connect to the introduction, the candidates that follow, and the end. Calls know nothing of each other
/// and share no lock.
/// </summary>
internal sealed class Switchboard(RendezvousOptions options, CandidateFilter filter, Func<PeerId, RendezvousSession?> find)
{
    // Reasons a callee may give; everything else it says is "refused" to the caller.
    private static readonly HashSet<string> CalleeReasons = new(StringComparer.Ordinal)
    {
        RejectReason.Busy, RejectReason.Refused, RejectReason.RateLimited, RejectReason.Unsupported, RejectReason.BadRequest, RejectReason.TimedOut,
        RejectReason.Glare,
    };

    // HMAC-SHA-256 (docs/protocol.md section 1, tickets).
    private const int ProofLength = 32;

    // "While a call waits for its callee's accept, the caller may send ten datagrams" (docs/protocol.md section 6): a first flight.
    private const int DatagramsBeforeAccept = 10;

    private readonly ConcurrentDictionary<UInt128, Call> _calls = new();
    private long _numbers;

    /// <summary>Calls that are not over.</summary>
    public int Count => _calls.Count;

    public void Connect(RendezvousSession session, NodeRecord caller, ConnectMessage message, TimeSpan now)
    {
        options.Metrics.CallStarted();
        if (!Call.TryParseId(message.Call, out UInt128 id))
        {
            Reject(session, caller.Id, default, message.Call, RejectReason.BadRequest, "a call id has 32 hex digits");
            return;
        }

        string text = Call.Format(id);
        if (!PeerId.TryParse(message.Target, out PeerId target, out string? problem))
        {
            Reject(session, caller.Id, default, text, RejectReason.BadRequest, problem);
            return;
        }

        if (target == caller.Id)
        {
            Reject(session, caller.Id, target, text, RejectReason.Self, "this is the caller's own peer id");
            return;
        }

        if (message.Ephemeral is not { Key: { } key, Signature.Length: P256.SignatureLength } || !P256.IsPoint(key))
        {
            Reject(session, caller.Id, target, text, RejectReason.BadRequest, "a call carries an ephemeral key (65 bytes) and its signature (64 bytes)");
            return;
        }

        if (message.Protocol is { } protocol && !NodeWords.IsPlainProtocol(protocol))
        {
            Reject(session, caller.Id, target, text, RejectReason.BadRequest, $"'protocol' has 1 to {SignalProtocol.MaxProtocolLength} printable characters");
            return;
        }

        if (!session.TakeCall(now))
        {
            Reject(session, caller.Id, target, text, RejectReason.RateLimited, $"a node may make {options.Limits.CallsPerMinute} calls per minute");
            return;
        }

        CandidateSet candidates = message.Candidates is null
            ? caller.Candidates
            : filter.Apply(message.Candidates, session, now, SignalProtocol.MaxCandidates, out _);
        var request = new Request(id, text, target, message, candidates);
        RetireOlder(request, caller, session);
        Place(session, caller, request, now);
    }

    public void Accept(RendezvousSession session, NodeRecord callee, AcceptMessage message, TimeSpan now)
    {
        if (!TryFind(message.Call, callee, out Call? call, "accept") || call.Callee != callee.Id)
        {
            return;
        }

        lock (call.Gate)
        {
            if (call.State != CallState.Waiting)
            {
                return;
            }

            CandidateSet candidates = message.Candidates is null
                ? callee.Candidates
                : filter.Apply(message.Candidates, session, now, SignalProtocol.MaxCandidates, out _);
            RendezvousSession? caller = find(call.Caller.Id);
            Admit(call, caller, session);
            StopWaiting(call);
            call.State = CallState.Introduced;
            if (caller is null || !Introduce(call, caller, callee, candidates))
            {
                // The caller is gone; when it comes back it calls again.
                End(call);
            }
        }
    }

    public void Reject(NodeRecord callee, RejectMessage message)
    {
        if (!TryFind(message.Call, callee, out Call? call, "reject") || call.Callee != callee.Id)
        {
            return;
        }

        string reason = message.Reason is { } given && CalleeReasons.Contains(given) ? given : RejectReason.Refused;
        Refuse(call, reason, PlainText.Of(message.Detail, "the callee gave no detail"));
    }

    /// <summary>The caller has given up: the callee is told, and the call is over. Whoever else asks, or for whatever else, changes nothing.</summary>
    public void Hangup(NodeRecord caller, HangupMessage message)
    {
        if (!TryFind(message.Call, caller, out Call? call, "hangup") || call.Caller.Id != caller.Id)
        {
            return;
        }

        lock (call.Gate)
        {
            if (call.State == CallState.Ended)
            {
                return;
            }

            End(call);
            ServerLog.HungUp(options.Logger, call.IdText, call.Caller.Id, call.Callee);

            // A callee that is away, or comes back later, has nothing of the call, or forgets it by itself.
            _ = find(call.Callee)?.Send(new HangupMessage { Call = call.IdText });
        }
    }

    public void Trickle(RendezvousSession session, NodeRecord from, CandidatesMessage message, TimeSpan now)
    {
        if (!TryFind(message.Call, from, out Call? call, "candidates"))
        {
            return;
        }

        bool byCaller = call.Caller.Id == from.Id;
        PeerId toId = byCaller ? call.Callee : call.Caller.Id;
        lock (call.Gate)
        {
            // A callee that has not accepted yet is not shown to the caller, whatever it sends.
            if (call.State == CallState.Ended || (call.State == CallState.Waiting && !byCaller) || find(toId) is not { } to)
            {
                options.Metrics.Dropped(DropKind.UnknownCall);
                return;
            }

            int left = SignalProtocol.MaxCandidates - (byCaller ? call.TrickledByCaller : call.TrickledByCallee);
            CandidateSet candidates = filter.Apply(message.Candidates, session, now, left, out int dropped);
            options.Metrics.Dropped(DropKind.Candidate, dropped);
            CandidateDescription[] told = candidates.For(to);
            NatDescription? nat = NodeWords.Clean(message.Nat);
            if (told.Length == 0 && nat is null)
            {
                return;
            }

            if (byCaller)
            {
                call.TrickledByCaller += candidates.Count;
            }
            else
            {
                call.TrickledByCallee += candidates.Count;
            }

            ServerLog.Trickled(options.Logger, call.IdText, from.Id, toId, told.Length);
            _ = to.Send(new CandidatesMessage { Call = call.IdText, Candidates = told, Nat = nat });
        }
    }

    /// <summary>A call whose callee's session ended: to the session that took its place, or back to the caller at once.</summary>
    public void CalleeLeft(Call call, RendezvousSession? successor, TimeSpan now)
    {
        lock (call.Gate)
        {
            if (call.State != CallState.Waiting)
            {
                return;
            }

            if (successor?.Admit(call, counts: false, now) is null && successor is not null)
            {
                BeginWaiting(call, successor);
                ServerLog.CallMoved(options.Logger, call.IdText, call.Caller.Id, call.Callee);
                if (successor.Send(call.Incoming with { Candidates = call.CallerCandidates.For(successor) }))
                {
                    return;
                }
            }

            Refuse(call, RejectReason.Offline, "the callee's connection to the server ended before it answered");
        }
    }

    /// <summary>Ends what took too long.</summary>
    public void Tick(TimeSpan now)
    {
        List<Call>? due = null;
        foreach ((_, Call call) in _calls)
        {
            if (IsDue(call, now))
            {
                (due ??= []).Add(call);
            }
        }

        if (due is null)
        {
            return;
        }

        // A dictionary has no order of its own; a simulation needs one.
        due.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        foreach (Call call in due)
        {
            lock (call.Gate)
            {
                // Asked again behind the gate: an accept that came in this very moment stands, and its caller is not told that nobody answered.
                if (!IsDue(call, now))
                {
                    continue;
                }

                if (call.State == CallState.Waiting)
                {
                    Refuse(call, RejectReason.TimedOut, "the callee did not answer");
                }
                else
                {
                    End(call);
                }
            }
        }
    }

    private bool IsDue(Call call, TimeSpan now)
    {
        TimeSpan age = now - call.CreatedAt;
        return age >= options.Timers.CallLifetime || (age >= options.Timers.AcceptTimeout && call.State == CallState.Waiting);
    }

    private void Place(RendezvousSession session, NodeRecord caller, Request to, TimeSpan now)
    {
        // Twice: the session that was found may be replaced in this very moment.
        string reason = RejectReason.Offline;
        string unsupported = "";
        for (int attempt = 0; attempt < 2 && reason == RejectReason.Offline; attempt++)
        {
            if (find(to.Target) is not { Node: { } callee } calleeSession)
            {
                break;
            }

            bool direct = callee.Has(Capability.Direct) && caller.Has(Capability.Direct);
            if (callee.Prekey is null || (!direct && !(callee.TakesRelayed && caller.TakesRelayed)))
            {
                reason = RejectReason.Unsupported;
                unsupported = callee.Prekey is null ? "the callee registered without a pre-key: it can call, and cannot be called"
                    : options.Relays ? "one of the two cannot have a direct path, and one does not take relayed datagrams"
                    : "one of the two cannot have a direct path, and this server does not relay";
                break;
            }

            var call = new Call
            {
                Id = to.Id,
                IdText = to.Text,
                Number = Interlocked.Increment(ref _numbers),
                Caller = caller,
                Callee = to.Target,
                CallerSession = session.Number,
                CallerCandidates = to.Candidates,
                NeedsAccept = !callee.Open,
                CreatedAt = now,
                Incoming = new IncomingMessage
                {
                    Call = to.Text,
                    Peer = caller.IdText,
                    PublicKey = caller.PublicKey,
                    Ephemeral = to.Message.Ephemeral,
                    Nat = to.Message.Nat is null ? caller.Nat : NodeWords.Clean(to.Message.Nat),
                    Capabilities = caller.Capabilities,
                    Protocol = to.Message.Protocol,
                    Proof = to.Message.Proof is { Length: ProofLength } proof ? proof : null,
                },
            };
            string? refusal = Offer(call, session, callee, calleeSession, now);
            if (refusal is null)
            {
                return;
            }

            reason = refusal;
        }

        Reject(session, caller.Id, to.Target, to.Text, reason, reason switch
        {
            RejectReason.Offline => "no node with this peer id is registered here",
            RejectReason.Unsupported => unsupported,
            RejectReason.Busy => "too many calls wait for the callee's answer",
            RejectReason.RateLimited => "the callee is being called too often",
            _ => "this call id is in use",
        });
    }

    // Null when the call is on its way, else why it is not.
    private string? Offer(Call call, RendezvousSession caller, NodeRecord callee, RendezvousSession calleeSession, TimeSpan now)
    {
        lock (call.Gate)
        {
            if (!_calls.TryAdd(call.Id, call))
            {
                return RejectReason.BadRequest;
            }

            string? refusal = calleeSession.Admit(call, counts: true, now);
            if (refusal is null && call.NeedsAccept)
            {
                BeginWaiting(call, calleeSession);
            }

            if (refusal is null && !calleeSession.Send(call.Incoming with { Candidates = call.CallerCandidates.For(calleeSession) }))
            {
                refusal = RejectReason.Offline;
            }

            if (refusal is not null)
            {
                End(call);
                return refusal;
            }

            if (call.NeedsAccept)
            {
                ServerLog.CallWaits(options.Logger, call.IdText, call.Caller.Id, call.Callee);
                return null;
            }

            call.State = CallState.Introduced;
            Admit(call, caller, calleeSession);
            if (!Introduce(call, caller, callee, callee.Candidates))
            {
                End(call);
            }

            return null;
        }
    }

    // A call id is used once; only the same node, back on a new session, may call again with it.
    private void RetireOlder(Request request, NodeRecord caller, RendezvousSession session)
    {
        if (_calls.TryGetValue(request.Id, out Call? older)
            && older.Caller.Id == caller.Id && older.Callee == request.Target && older.CallerSession != session.Number)
        {
            lock (older.Gate)
            {
                End(older);
            }
        }
    }

    private bool Introduce(Call call, RendezvousSession caller, NodeRecord callee, CandidateSet candidates)
    {
        bool sent = caller.Send(new IntroduceMessage
        {
            Call = call.IdText,
            Peer = callee.IdText,
            PublicKey = callee.PublicKey,
            Prekey = callee.Prekey,
            Candidates = candidates.For(caller),
            Nat = callee.Nat,
            Capabilities = callee.Capabilities,
        });
        if (sent)
        {
            options.Metrics.Introduced();
            ServerLog.Introduced(options.Logger, call.IdText, call.Caller.Id, call.Callee);
        }

        return sent;
    }

    private void Refuse(Call call, string reason, string detail)
    {
        lock (call.Gate)
        {
            if (call.State == CallState.Ended)
            {
                return;
            }

            End(call);
            if (find(call.Caller.Id) is { } caller)
            {
                Reject(caller, call.Caller.Id, call.Callee, call.IdText, reason, detail);
            }
        }
    }

    private void Reject(RendezvousSession caller, PeerId callerId, PeerId callee, string? call, string reason, string detail)
    {
        options.Metrics.Rejected(reason);

        // What is no call id is the caller's own text: back it goes when it is short, and into the log without what could end a line.
        string? echo = call?.Length <= 4 * SignalProtocol.CallIdLength ? call : null;
        string words = PlainText.Of(detail, "");
        ServerLog.CallRejected(options.Logger, PlainText.Of(echo, ""), callerId, callee, reason, words);
        _ = caller.Send(new RejectMessage { Call = echo, Reason = reason, Detail = words });
    }

    private bool TryFind(string? text, NodeRecord node, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Call? call, string type)
    {
        call = null;
        if (Call.TryParseId(text, out UInt128 id) && _calls.TryGetValue(id, out call) && (call.Callee == node.Id || call.Caller.Id == node.Id))
        {
            return true;
        }

        // Late messages of calls that are over are normal, so this is not an error to the node.
        options.Metrics.Dropped(DropKind.UnknownCall);
        ServerLog.UnknownCall(options.Logger, Call.Format(id), node.Id, type);
        call = null;
        return false;
    }

    private void End(Call call)
    {
        call.State = CallState.Ended;
        StopWaiting(call);
        _ = _calls.TryRemove(KeyValuePair.Create(call.Id, call));
    }

    private static void BeginWaiting(Call call, RendezvousSession callee)
    {
        call.WaitsAt = callee;
        callee.Relay?.Permissions.BeginWait(call.Caller.Id, DatagramsBeforeAccept);
    }

    private static void StopWaiting(Call call)
    {
        call.WaitsAt?.Forget(call);
        call.WaitsAt?.Relay?.Permissions.EndWait(call.Caller.Id);
        call.WaitsAt = null;
    }

    // An introduction lets both send relayed datagrams; before the messages go out, so that what they set off passes.
    private static void Admit(Call call, RendezvousSession? caller, RendezvousSession callee)
    {
        caller?.Relay?.Permissions.Admit(call.Callee);
        callee.Relay?.Permissions.Admit(call.Caller.Id);
    }

    private readonly record struct Request(UInt128 Id, string Text, PeerId Target, ConnectMessage Message, CandidateSet Candidates);
}
