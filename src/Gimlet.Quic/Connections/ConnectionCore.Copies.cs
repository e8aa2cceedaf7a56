using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Connections;

/// <content>
/// A path that is not validated yet, and the last validated one, which gets its frames as well (docs/protocol.md section 5): those of 1-RTT packets and,
/// where a client moves with the end of the handshake, of its Handshake packets.
/// </content>
internal sealed partial class ConnectionCore
{
    // Frames that went out on a path that is not validated, to go out once more on the one before.
    private byte[] _handshakeCopy = [];
    private byte[] _applicationCopy = [];
    private int _handshakeCopyLength;
    private int _applicationCopyLength;
    private ConnectionPath? _copyPath;

    // What goes to the current path goes there as well, until the current one is validated.
    private ConnectionPath? SecondPath() =>
        HasGimletPaths && !_current.IsValidated && _previous is { IsValidated: true } previous && previous != _current ? previous : null;

    private void KeepCopy(PacketSpace space, ConnectionPath path, ReadOnlySpan<byte> payload)
    {
        _copyPath = path;
        if (space == _handshake)
        {
            KeepCopy(ref _handshakeCopy, out _handshakeCopyLength, payload);
        }
        else if (space == _application)
        {
            KeepCopy(ref _applicationCopy, out _applicationCopyLength, payload);
        }

        // Of Initial packets a side that is connected sends nothing but acknowledgements, which its Handshake packets make superfluous.
    }

    private void KeepCopy(ref byte[] copy, out int length, ReadOnlySpan<byte> payload)
    {
        if (copy.Length < payload.Length)
        {
            copy = new byte[_settings.MaxUdpPayload];
        }

        payload.CopyTo(copy);
        length = payload.Length;
    }

    private bool TryPollCopy(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_copyPath is not { } path)
        {
            return false;
        }

        int handshake = _handshake.Sealer is { CanSeal: true } ? _handshakeCopyLength : 0;
        int application = _oneRtt is { CanSeal: true } ? _applicationCopyLength : 0;
        _copyPath = null;
        _handshakeCopyLength = 0;
        _applicationCopyLength = 0;

        // A copy is not worth more than the path bears; the original is on its way. But for the few packets that complete the handshake.
        if (handshake + application == 0 || (handshake == 0 && path.Recovery.Allowance(now) < application))
        {
            return false;
        }

        // The frames are still those of the original, which was written last.
        BeginDatagram(now, path, path.Recovery.NextEcn);
        var datagram = new DatagramBuilder(this, buffer[..Math.Min(path.Mtu.Current, buffer.Length)]);
        AppendCopy(ref datagram, _handshake, _handshakeCopy.AsSpan(0, handshake));
        AppendCopy(ref datagram, _application, _applicationCopy.AsSpan(0, application));
        int length = datagram.Finish(fullSize: 0);
        if (length == 0)
        {
            return false;
        }

        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }

    // The header may have grown by a byte meanwhile, and the copy no longer fit.
    private static void AppendCopy(ref DatagramBuilder datagram, PacketSpace space, ReadOnlySpan<byte> frames)
    {
        if (!frames.IsEmpty && datagram.TryBegin(space, out WireWriter writer) && writer.Remaining >= frames.Length)
        {
            writer.WriteBytes(frames);
            datagram.Commit(writer.Position);
        }
    }

    // DATAGRAM frames are not for copies: their receiver would get them twice. While there are two paths, they go where the peer is known to be.
    private bool HasDatagramsFor(ConnectionPath path) => _outgoing.Count > 0 && (SecondPath() ?? path) == path;

    private bool TryPollDatagrams(TimeSpan now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_outgoing.Count == 0 || SecondPath() is not { } path || _oneRtt is not { CanSeal: true } || path.Recovery.Allowance(now) < path.Mtu.Current)
        {
            return false;
        }

        BeginDatagram(now, path, path.Recovery.NextEcn);
        var datagram = new DatagramBuilder(this, buffer[..Math.Min(path.Mtu.Current, buffer.Length)]);
        if (!datagram.TryBegin(_application, out WireWriter writer))
        {
            return false;
        }

        _applicationFrames.Clear();
        WriteDatagrams(ref writer, _applicationFrames);
        datagram.Commit(writer.Position);
        int length = datagram.Finish(fullSize: 0);
        if (length == 0)
        {
            return false;
        }

        CountDatagram(path, length);
        transmit = new Transmit(path.Id, length, length, _writeEcn);
        return true;
    }
}
