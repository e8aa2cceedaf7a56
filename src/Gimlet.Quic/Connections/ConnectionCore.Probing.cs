using Gimlet.Quic.Frames;
using Gimlet.Quic.Recovery;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>Datagrams that ask what a path can do: challenges and their answers, probes of paths not in use, MTU probes (RFC 9000 sections 8.2 and 14.3).</content>
internal sealed partial class ConnectionCore
{
    // PATH_CHALLENGE, PATH_RESPONSE, probe timeouts of paths that are not current, and MTU probes: a datagram of its own each.
    private bool TryPollProbing(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_oneRtt is not { CanSeal: true })
        {
            return false;
        }

        foreach (ConnectionPath path in _paths)
        {
            if (path.Responses.Count > 0 || path.Validation.IsChallengeDue(now) || (path.Probes > 0 && path != SendWay()))
            {
                if (TryWriteProbing(now, path, buffer, out transmit))
                {
                    return true;
                }
            }
        }

        // Not in front of the server's HANDSHAKE_DONE, which the client waits for.
        return IsConfirmed && !_isHandshakeDonePending && TryWriteMtuProbe(now, buffer, out transmit);
    }

    private bool TryWriteProbing(TimeSpan now, ConnectionPath path, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;

        // RFC 9000 section 8.2.1: "An endpoint MUST expand datagrams that contain a PATH_CHALLENGE frame to at least the smallest allowed maximum datagram size of
        // 1200 bytes, unless the anti-amplification limit for the path does not permit sending a datagram of this size."
        int size = (int)Math.Min(FullSize, Math.Min(buffer.Length, path.Allowance));
        bool isFullSize = size == FullSize;
        BeginDatagram(now, path, EcnCodepoint.NotEct);
        var datagram = new DatagramBuilder(this, buffer[..size]);
        if (!datagram.TryBegin(_application, out WireWriter writer))
        {
            return false;
        }

        SentFrameList sent = _applicationFrames;
        sent.Clear();
        bool mustExpand = false;
        while (path.Responses.Count > 0 && writer.Remaining >= PathResponseFrame.Length && path.Responses.TryTake(out ulong response))
        {
            _ = new PathResponseFrame(response).TryWrite(ref writer);
            sent.Add(new SentFrame(FrameType.PathResponse));
            mustExpand = true;
        }

        if (path.Validation.IsChallengeDue(now) && writer.Remaining >= PathChallengeFrame.Length)
        {
            _ = new PathChallengeFrame(path.Validation.NextChallenge(now, isFullSize)).TryWrite(ref writer);
            sent.Add(new SentFrame(FrameType.PathChallenge));
            mustExpand = true;
        }

        if (path.Probes > 0)
        {
            path.Probes--;
            if (sent.Count == 0 && PingFrame.TryWrite(ref writer))
            {
                sent.Add(new SentFrame(FrameType.Ping));
            }
        }

        datagram.Commit(writer.Position);
        int length = datagram.Finish(mustExpand && isFullSize ? FullSize : 0);
        if (length == 0)
        {
            return false;
        }

        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, EcnCodepoint.NotEct);
        return true;
    }

    private bool TryWriteMtuProbe(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        ConnectionPath path = _current;
        if (!path.IsValidated
            || !path.Mtu.TryGetProbe(now, out int size)
            || size > buffer.Length
            || path.Recovery.Allowance(now) < size
            || path.Allowance < size)
        {
            return false;
        }

        BeginDatagram(now, path, path.Recovery.NextEcn);
        _isWritingMtuProbe = true;
        var datagram = new DatagramBuilder(this, buffer[..size]);
        if (!datagram.TryBegin(_application, out WireWriter writer))
        {
            return false;
        }

        long number = _loss.NextPacketNumber(PacketNumberSpace.Application);
        _applicationFrames.Clear();
        _ = PingFrame.TryWrite(ref writer);
        _applicationFrames.Add(new SentFrame(FrameType.Ping));
        datagram.Commit(writer.Position);
        int length = datagram.Finish(size);
        path.Mtu.OnProbeSent(now, number, size);
        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }
}
