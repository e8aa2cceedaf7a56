using System.Threading.Channels;
using Gimlet.Hosting;
using Gimlet.Node;
using Gimlet.Peers;
using Gimlet.Quic;

namespace Gimlet.Connections;

/// <content>Taking the connections that peers make.</content>
internal sealed partial class ConnectionTable
{
    // The hello leaves with the end of the handshake, and a bad network holds it up for as long as a handshake (PeerTable.ExpectedFor).
    private static readonly TimeSpan HelloWait = TimeSpan.FromSeconds(10);

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

        // One connection for each call and its protocol: a handshake alone shows only that the peer has called for something.
        AwaitedDial? awaited = _host.Run(static (host, now, s) => host.Peers.FindAwaited(s.peer, s.protocol, now), (peer, protocol));
        if (awaited is not { } call)
        {
            if (isOutcome)
            {
                dial!.Release();
            }

            NodeLog.NotCalled(_logger, peer, protocol);
            await quic.CloseAsync(CloseCodes.NotCalled).ConfigureAwait(false);
            return;
        }

        PathPolicy policy = dial?.Policy ?? _options.EffectivePolicy;
        Member member = Enter(peer, quic, policy);

        // Whether the peer wants a direct path for it, its hello says, and before that its call where it named addresses.
        member.AwaitsHello = quic.InitialPath.Value < 0 && !_host.Run(static (host, _, s) => host.Peers.IsExpectedDirect(s.peer, s.protocol), (peer, protocol));
        CallId own = dial?.SharedCall ?? (call.Call == default ? _host.Run(static (host, _, _) => host.Core.NewCallId(), 0) : call.Call);
        long since = dial?.StartedAt ?? Time.GetTimestamp() - (long)(call.Waited.TotalSeconds * Time.TimestampFrequency);
        var birth = new ConnectionBirth(peer, own, dial?.IsAuthenticated ?? true, policy, since) { Races = isOutcome && dial!.Race is not null };
        GimletConnection connection = Create(quic, member, birth);
        UseChosenPath(peer, member);
        if (!isOutcome)
        {
            connection.ForgoRace();
        }

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
                return;
            }

            connection.ForgoRace();
            if (!_accepted.TryGetValue(connection.Protocol, out Channel<GimletConnection>? queue) || !queue.Writer.TryWrite(connection))
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
