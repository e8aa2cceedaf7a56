using System.Collections.Concurrent;
using Gimlet.Identity;
using Gimlet.Server.Observability;
using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>Registrations: the proof of who a node is, the limits, and which session stands for which id.</summary>
internal sealed class Registrar(RendezvousOptions options, AddressCensus census, CandidateFilter filter)
{
    private readonly ConcurrentDictionary<PeerId, RendezvousSession> _nodes = new();

    /// <summary>The session of a registered node that is still there.</summary>
    public RendezvousSession? Find(PeerId id) => _nodes.TryGetValue(id, out RendezvousSession? session) && !session.IsClosed ? session : null;

    /// <summary>Registers a session.</summary>
    /// <param name="session">The session, not registered yet.</param>
    /// <param name="message">What it sent.</param>
    /// <param name="now">The time.</param>
    /// <param name="older">The session it replaced, for the caller to end.</param>
    /// <returns>Null when the registration stands, else what is wrong with it.</returns>
    public Refusal? Register(RendezvousSession session, RegisterMessage message, TimeSpan now, out RendezvousSession? older)
    {
        older = null;
        if (Verify(session, message, out PeerId id) is { } refusal)
        {
            return refusal;
        }

        if (options.Access.Refuses(id, message.Token) is { } unwelcome)
        {
            return new Refusal(ErrorCode.Unauthorised, unwelcome);
        }

        string[] capabilities = NodeWords.CleanCapabilities(message.Capabilities);
        var node = new NodeRecord
        {
            Id = id,
            IdText = id.ToString(),
            PublicKey = message.PublicKey!,
            Prekey = message.Prekey,
            Capabilities = capabilities,
            TakesRelayed = options.Relays && capabilities.Contains(Capability.Relay),
            Open = string.Equals(message.Accept, AcceptMode.Open, StringComparison.Ordinal),
            Candidates = Filter(message.Candidates, session, id, now),
            Nat = NodeWords.Clean(message.Nat),
        };

        // Under the gate: a caller that finds the session in the table waits in Admit until "registered" is queued before its "incoming".
        lock (session.Gate)
        {
            if (session.IsReleased)
            {
                // Its time ran out in this very moment; it has been told.
                return null;
            }

            _ = _nodes.TryGetValue(id, out older);
            if (census.TryRegister(session.Group, older?.HeldGroup) is { } full)
            {
                older = null;
                return new Refusal(full, full == ErrorCode.TooManyNodes
                    ? $"this server holds {options.Limits.TotalNodes} nodes"
                    : $"{options.Limits.NodesPerAddress} nodes are registered from this address; behind a proxy the server must be told to trust it");
            }

            session.CountsAsRegistered = true;
            session.Nonce = null;
            session.Node = node;
            Enter(session, id, out older);
            options.Metrics.NodeRegistered();
            ServerLog.Registered(
                options.Logger, session.Number, id, session.Remote, node.Open ? AcceptMode.Open : AcceptMode.OnAccept, node.Candidates.Count, NodeWords.CleanAgent(message.Agent));
            _ = session.Send(new RegisteredMessage
            {
                Peer = node.IdText,
                Observed = session.Remote.ToString(),
                KeepAliveMs = (int)options.Timers.PingAfter.TotalMilliseconds,
                Limits = new LimitsDescription
                {
                    MessageBytes = options.Limits.MessageBytes,
                    MessagesPerSecond = options.Limits.MessagesPerSecond,
                    CallsPerMinute = options.Limits.CallsPerMinute,
                    RelayFrameBytes = options.Relays ? RelayFrame.MaxLength : null,
                    RelayBytesPerSecond = options.Relays && options.Limits.RelayBytesPerSecond > 0 ? options.Limits.RelayBytesPerSecond : null,
                },
            });
        }

        return null;
    }

    public string? Update(RendezvousSession session, NodeRecord node, UpdateMessage message, TimeSpan now)
    {
        if (message.Accept is not (null or AcceptMode.Open or AcceptMode.OnAccept))
        {
            return "'accept' is neither 'open' nor 'on-accept'";
        }

        session.Node = node with
        {
            Candidates = message.Candidates is null ? node.Candidates : Filter(message.Candidates, session, node.Id, now),
            Nat = message.Nat is null ? node.Nat : NodeWords.Clean(message.Nat),
            Open = message.Accept is null ? node.Open : message.Accept == AcceptMode.Open,
        };
        return null;
    }

    /// <summary>Takes a session out; one that was replaced leaves its successor alone.</summary>
    public void Leave(RendezvousSession session)
    {
        if (session.Node is { } node)
        {
            _ = _nodes.TryRemove(KeyValuePair.Create(node.Id, session));
        }
    }

    private static Refusal? Verify(RendezvousSession session, RegisterMessage message, out PeerId id)
    {
        id = default;
        if (message.PublicKey is not { } publicKey || message.Signature is not { } signature || session.Nonce is not { } nonce)
        {
            return new Refusal(ErrorCode.BadSignature, "a registration carries 'public_key' and 'signature'");
        }

        if (!P256.IsSubjectPublicKeyInfo(publicKey))
        {
            return new Refusal(ErrorCode.BadSignature, "'public_key' is not a P-256 SubjectPublicKeyInfo of 91 bytes");
        }

        if (message.Accept is not (null or AcceptMode.Open or AcceptMode.OnAccept))
        {
            return new Refusal(ErrorCode.BadMessage, "'accept' is neither 'open' nor 'on-accept'");
        }

        if (!P256.Verify(publicKey, Statement.Registration(session.Authority, nonce, publicKey), signature))
        {
            return new Refusal(
                ErrorCode.BadSignature,
                $"the signature does not cover this challenge at '{session.Authority}'; where the node dialled another name, a proxy in front of this server is not trusted");
        }

        if (message.Prekey is { } prekey
            && (prekey is not { Key: { } key, Signature: { } keySignature } || !P256.IsPoint(key) || !P256.Verify(publicKey, Statement.Prekey(key), keySignature)))
        {
            return new Refusal(ErrorCode.BadSignature, "the pre-key's signature is not by the node's key");
        }

        id = PeerId.FromPublicKey(publicKey);
        return null;
    }

    private void Enter(RendezvousSession session, PeerId id, out RendezvousSession? older)
    {
        while (true)
        {
            if (_nodes.TryGetValue(id, out older))
            {
                if (_nodes.TryUpdate(id, session, older))
                {
                    session.Inherit(older);
                    return;
                }
            }
            else if (_nodes.TryAdd(id, session))
            {
                older = null;
                return;
            }
        }
    }

    private CandidateSet Filter(CandidateDescription[]? candidates, RendezvousSession session, PeerId id, TimeSpan now)
    {
        CandidateSet set = filter.Apply(candidates, session, now, SignalProtocol.MaxCandidates, out int dropped);
        if (dropped > 0)
        {
            options.Metrics.Dropped(DropKind.Candidate, dropped);
            ServerLog.CandidatesDropped(options.Logger, session.Number, id, dropped, candidates?.Length ?? 0);
        }

        return set;
    }
}

/// <summary>Why a session or a message is refused.</summary>
/// <param name="Code">An <see cref="ErrorCode"/>.</param>
/// <param name="Detail">The reason in words, for the node's log.</param>
internal readonly record struct Refusal(string Code, string Detail);
