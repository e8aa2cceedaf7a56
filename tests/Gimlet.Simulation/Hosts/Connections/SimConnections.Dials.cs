using Gimlet.Connections;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Quic;
using Gimlet.Quic.Connections;

namespace Gimlet.Simulation;

/// <content>What <c>ConnectionTable</c> does: dials, incoming connections, and the paths that the peer table chose.</content>
internal sealed partial class SimConnections
{
    // ConnectionTable.JoinWait and MaxStaleConnections.
    private static readonly TimeSpan JoinWait = TimeSpan.FromSeconds(5);
    private const int MaxStaleConnections = 3;

    /// <summary>Dials a peer.</summary>
    public SimDial Dial(PeerId peer, string protocol, ISimApplication application)
    {
        var dial = new SimDial(Node.Core.NewCallId(), peer, protocol, application);
        _dials.Add(dial);
        if (Peers.TryBeginDial(new DialRequest(dial.CurrentCall, peer, protocol), Now))
        {
            dial.WantsPath = true;
        }
        else
        {
            Join(dial);
        }

        return dial;
    }

    /// <summary>A handshake is complete.</summary>
    public void Connected(SimConnection connection)
    {
        if (connection.End is not null)
        {
            return;
        }

        if (connection.IsIncoming)
        {
            Take(connection);
            return;
        }

        UseChosenPath(connection);
        Count(connection);
        connection.BeginControl();
        if (_dials.Find(d => d.Attempt == connection) is { } dial)
        {
            _ = dial.TakeAttempt();
            Complete(dial, connection);
        }
        else
        {
            connection.Close(CloseCodes.Superseded, "another connection takes its place");
        }
    }

    /// <summary>The peer has named its process: whatever was there with an older one is over.</summary>
    public void HelloReceived(SimConnection connection)
    {
        foreach (SimConnection other in _members.ToArray())
        {
            if (other.Peer == connection.Peer && other.PeerInstance != 0 && other.PeerInstance != connection.PeerInstance)
            {
                other.Close(CloseCodes.Restarted, "the peer has started again");
            }
        }
    }

    /// <summary>The peer's newest data came on a path; as ConnectionTable.PeerMoved.</summary>
    public void PeerMoved(SimConnection connection, QuicPath path) => Peers.HandlePeerMoved(connection.Peer, Paths.AddressOf(path), Now);

    /// <summary>A connection, or an attempt, has ended.</summary>
    public void Ended(SimConnection connection)
    {
        _ = _members.Remove(connection);
        if (connection.IsCounted)
        {
            connection.IsCounted = false;
            Peers.RemoveConnection(connection.Peer, allowsDirect: true, Now);
        }
        else if (_dials.Find(d => d.Attempt == connection) is { } dial)
        {
            _ = dial.TakeAttempt();
            CloseReason end = connection.End!;
            bool isStale = end.Kind == CloseKind.StatelessReset
                || (end.Kind == CloseKind.PeerApplication && end.Code is CloseCodes.Superseded or CloseCodes.Restarted);
            if (isStale && ++dial.StaleConnections < MaxStaleConnections)
            {
                dial.WantsPath = true;
            }
            else
            {
                Fail(dial, end.ToString());
            }
        }
    }

    /// <summary>The application does not want it any more.</summary>
    public void Cancel(SimDial dial)
    {
        if (!dial.IsOver)
        {
            Fail(dial, "cancelled");
        }
    }

    private void Handle(PeerEvent news)
    {
        switch (news)
        {
            case PeerForgotten forgotten:
                Paths.Forget(forgotten.Peer);
                break;
            case PathChosen chosen:
                Apply(chosen);
                break;
            case PathWorksAgain works:
                foreach (SimConnection member in _members.Where(m => m.Peer == works.Peer).ToArray())
                {
                    _ = member.Quic.TryUsePath(member.Quic.CurrentPath);
                }

                break;
            case DialFailed failed when _dials.Find(d => d.CurrentCall == failed.Call) is { } dial:
                Fail(dial, failed.Message);
                break;
            case ExpectedDialEnded { IsLast: true } ended:
                foreach (SimDial waiting in _dials.Where(d => d.IsJoining && d.Peer == ended.Peer && d.Protocol == ended.Protocol).ToArray())
                {
                    StartOver(waiting, Now);
                }

                break;
            case DialGlared glared when _dials.Find(d => d.CurrentCall == glared.Call) is { } loser:
                Join(loser);
                break;
            default:
                break;
        }
    }

    private void Apply(PathChosen chosen)
    {
        QuicPath relay = Paths.ToRelay(chosen.Peer, session: -1);
        foreach (SimConnection member in _members.Where(m => m.Peer == chosen.Peer).ToArray())
        {
            if (chosen.Direct is { } direct)
            {
                _ = member.Quic.TryUsePath(Paths.To(direct.Remote));
            }
            else
            {
                QuicPath before = member.Quic.CurrentPath;
                _ = chosen.LeftSilent && before != relay ? member.Quic.AbandonPath(before, relay) : member.Quic.TryUsePath(relay);
            }
        }
    }

    // As ConnectionTable.FirstPathAsync and BeginAsync; false while there is no path to begin on.
    private bool TryBegin(SimDial dial)
    {
        QuicPath path;
        if (Peers.DirectPathOf(dial.Peer) is { } direct)
        {
            path = Paths.To(direct.Remote);
        }
        else if (dial.IsRouted && Paths.RelaySessionOf(dial.Peer) is >= 0 and int session && Node.Core.RelaysAt(session))
        {
            path = Paths.ToRelay(dial.Peer, session: -1);
        }
        else
        {
            return false;
        }

        dial.WantsPath = false;
        SimConnection attempt = Connect(dial.Peer, dial.Protocol, path).Connection!;
        dial.Attempt = attempt;
        _members.Add(attempt);
        UseChosenPath(attempt);
        return true;
    }

    // As ConnectionTable.TakeAsync.
    private void Take(SimConnection connection)
    {
        PeerId peer = connection.Quic.Core.Peer is { } shown ? PeerId.FromPublicKey(shown.SubjectPublicKeyInfo.Span) : default;
        if (peer.IsEmpty || Paths.PeerOf(new QuicPath(connection.Quic.Core.InitialPath.Value)) != peer)
        {
            connection.Close(CloseCodes.WrongPeer, "wrong peer");
            return;
        }

        connection.Peer = peer;
        string protocol = connection.Quic.Core.ApplicationProtocol.ToString();
        SimDial? dial = _dials.Find(d => d.Peer == peer && d.Protocol == protocol);
        if (dial is { IsJoining: false } && Node.Id < peer)
        {
            connection.Close(CloseCodes.Superseded, string.Empty);
            return;
        }

        _members.Add(connection);
        Count(connection);
        UseChosenPath(connection);
        if (dial is not null)
        {
            Complete(dial, connection);
            Abandon(dial);
        }
        else if (Accept(connection) is { } application)
        {
            Opened++;
            connection.Open(application);
        }
        else
        {
            connection.Close(CloseCodes.NobodyAccepts, "nobody accepts");
        }
    }

    private void Count(SimConnection connection)
    {
        connection.IsCounted = true;
        _ = Peers.AddConnection(connection.Peer, connection.Quic.Core.ApplicationProtocol.ToString(), connection.IsIncoming, allowsDirect: true, Now);
    }

    private void UseChosenPath(SimConnection connection)
    {
        if (Peers.DirectPathOf(connection.Peer) is { } direct)
        {
            _ = connection.Quic.TryUsePath(Paths.To(direct.Remote));
        }
    }

    private void Complete(SimDial dial, SimConnection connection)
    {
        dial.Connection = connection;
        dial.WantsPath = false;
        _ = _dials.Remove(dial);
        Peers.EndDial(dial.CurrentCall, isConnected: !connection.IsIncoming, Now);
        Opened++;
        connection.Open(dial.Application);
    }

    private void Fail(SimDial dial, string reason)
    {
        dial.Failure = reason;
        dial.WantsPath = false;
        _ = _dials.Remove(dial);
        Abandon(dial);
        Peers.EndDial(dial.CurrentCall, isConnected: false, Now);
    }

    private void Join(SimDial dial)
    {
        dial.IsJoining = true;
        dial.WantsPath = false;
        dial.JoinUntil = Now + JoinWait;
        Abandon(dial);
    }

    // The peer's dial came to nothing: this side's own, after all.
    private void StartOver(SimDial dial, TimeSpan now)
    {
        dial.JoinUntil = TimeSpan.MaxValue;
        dial.IsJoining = false;
        Peers.EndDial(dial.CurrentCall, isConnected: false, now);
        dial.CurrentCall = Node.Core.NewCallId();
        Peers.DialAfterAll(new DialRequest(dial.CurrentCall, dial.Peer, dial.Protocol), now);
        dial.WantsPath = true;
    }

    private void Abandon(SimDial dial)
    {
        if (dial.TakeAttempt() is { } attempt)
        {
            _ = _members.Remove(attempt);
            attempt.Close(CloseCodes.Superseded, string.Empty);
        }
    }
}
