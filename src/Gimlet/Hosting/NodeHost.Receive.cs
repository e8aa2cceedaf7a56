using Gimlet.Calls;
using Gimlet.Quic;
using Gimlet.Sockets;

namespace Gimlet.Hosting;

/// <content>The receive loops: one for each socket.</content>
internal sealed partial class NodeHost
{
    // With receive offload a slot holds up to 64 datagrams.
    private const int OffloadSlots = 8;

    // One task waits for all connections.
    private async Task WaitForRoomAsync(DatagramSocket socket)
    {
        // Not with the lock of the connection that could not send.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await socket.WaitToSendAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            return;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or System.Net.Sockets.SocketException)
        {
            // The system is out of descriptors or memory: connections try again a little later, and wait again if they have to.
            await Task.Delay(TimeSpan.FromMilliseconds(1), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Paths.RoomAgain();
        Quic.NotifyWritable();
    }

    private async Task ReceiveAsync(DatagramSocket socket, NodeSocketKind kind)
    {
        DatagramReceiveBatch batch = socket.Capabilities.HasFlag(DatagramSocketCapabilities.ReceiveOffload)
            ? new DatagramReceiveBatch(OffloadSlots, DatagramReceiveBatch.OffloadDatagramBytes)
            : new DatagramReceiveBatch();
        QuicReceiver receiver = Quic.CreateReceiver();
        NodePaths.Origin origin = Paths.CreateOrigin(socket);
        try
        {
            while (true)
            {
                await socket.WaitToReceiveAsync(_stop.Token).ConfigureAwait(false);
                NoteErrors(socket);
                while (socket.Receive(batch) > 0)
                {
                    Take(batch, kind, receiver, origin);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The node is being disposed.
        }
    }

    private void Take(DatagramReceiveBatch batch, NodeSocketKind kind, QuicReceiver receiver, NodePaths.Origin origin)
    {
        try
        {
            Handle(batch, kind, receiver, origin);
        }
        catch (Exception e) when (e is not ObjectDisposedException)
        {
            lock (_gate)
            {
                NoteFault(e);
            }
        }
    }

    // Checks first: QUIC decrypts in place, and what a STUN server sends instead of an answer may look like QUIC.
    private void Handle(DatagramReceiveBatch batch, NodeSocketKind kind, QuicReceiver receiver, NodePaths.Origin origin)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            if (kind != NodeSocketKind.Main || !IsAllQuic(batch[i]) || !Paths.IsVouched(batch[i].Remote))
            {
                lock (_gate)
                {
                    HandleChecks(batch, kind);
                }

                break;
            }
        }

        for (int i = 0; kind == NodeSocketKind.Main && i < batch.Count; i++)
        {
            ReceivedDatagram datagram = batch[i];
            if (IsAllQuic(datagram))
            {
                Span<byte> payload = datagram.Payload;
                origin.Set(datagram.Local, datagram.Remote);
                Paths.CountReceived(PathKind.Direct, payload.Length);
                Paths.NoteDirect(datagram.Remote, payload.Length);
                receiver.Receive(origin, datagram.Ecn, payload, datagram.SegmentSize);
            }
        }

        receiver.Flush();
    }

    // RFC 9443: 64 to 127 and 192 to 255. One sender's datagrams come joined where they are equally long: checks may be among them.
    private static bool IsAllQuic(in ReceivedDatagram datagram)
    {
        foreach (Span<byte> segment in datagram.Segments)
        {
            if (segment.IsEmpty || (segment[0] & 0x40) == 0)
            {
                return false;
            }
        }

        return datagram.Payload.Length > 0;
    }

    private void HandleChecks(DatagramReceiveBatch batch, NodeSocketKind kind)
    {
        if (_disposed)
        {
            return;
        }

        long ignored = _core.IgnoredDatagrams;
        int handed = 0;
        for (int i = 0; i < batch.Count; i++)
        {
            ReceivedDatagram datagram = batch[i];
            if (kind == NodeSocketKind.Main && IsAllQuic(datagram) && Paths.IsVouched(datagram.Remote))
            {
                continue;
            }

            foreach (Span<byte> segment in datagram.Segments)
            {
                handed++;
                HandleOne(datagram, segment, kind);
            }
        }

        if (_core.IgnoredDatagrams - ignored < handed)
        {
            Drain();
        }
    }

    private void HandleOne(in ReceivedDatagram datagram, ReadOnlySpan<byte> segment, NodeSocketKind kind)
    {
        try
        {
            _core.HandleDatagram(Now, datagram.Local, datagram.Remote, segment, kind);
        }
        catch (Exception e)
        {
            NoteFault(e);
        }
    }

    /// <summary>
    /// ICMP errors are hints: they can be forged, so all they do is tell a STUN query that its server refuses, and an answer that comes
    /// all the same still counts.
    /// </summary>
    private void NoteErrors(DatagramSocket socket)
    {
        while (socket.TryReadError(out DatagramError error))
        {
            if (error.Kind is DatagramErrorKind.Refused or DatagramErrorKind.Unreachable or DatagramErrorKind.Denied)
            {
                string reason = error.Kind == DatagramErrorKind.Refused ? "the port is closed there (ICMP)" : "the network says that it cannot be reached (ICMP)";
                TryRun(static (host, now, s) => host.Core.HandleSendFailure(now, s.Remote, s.reason), (error.Remote, reason));
            }
        }
    }
}
