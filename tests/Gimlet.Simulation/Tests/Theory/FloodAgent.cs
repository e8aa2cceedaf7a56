using System.Buffers.Binary;
using Gimlet.Sockets;

namespace Gimlet.Simulation.Tests;

/// <summary>
/// The bluntest possible punch: sends to every address it has ever heard of, again and again, and answers everything. What it cannot reach,
/// no protocol without port prediction can.
/// </summary>
internal sealed class FloodAgent
{
    private const byte Check = 1;
    private const byte Answer = 2;

    /// <summary>Two NATs that map each destination differently show a new address per packet; the chase has to end somewhere.</summary>
    private const int MaxKnown = 24;

    private readonly SimSocket _socket;
    private readonly List<TransportAddress> _known = [];

    public FloodAgent(SimSocket socket)
    {
        _socket = socket;
        socket.OnDatagram = Receive;
    }

    /// <summary>The remote address of a path that answered from where it was asked.</summary>
    public TransportAddress Reached { get; private set; }

    public TransportAddress Reflexive { get; private set; }

    public void AskServer(TransportAddress server) => _ = _socket.Send(server, [Check, 0, 0]);

    public void Learn(TransportAddress remote)
    {
        if (_known.Count < MaxKnown && !_known.Contains(remote))
        {
            _known.Add(remote);
        }
    }

    public void SendToAll()
    {
        for (int i = 0; i < _known.Count; i++)
        {
            _ = _socket.Send(_known[i], [Check, 0, (byte)i]);
        }
    }

    private void Receive(TransportAddress local, TransportAddress remote, ReadOnlySpan<byte> datagram)
    {
        if (datagram[0] == Check)
        {
            Learn(remote);
            _ = _socket.Send(remote, [Answer, 0, datagram[2]], local);
        }
        else if (datagram.Length > 3)
        {
            Reflexive = new TransportAddress(datagram[5..], BinaryPrimitives.ReadUInt16BigEndian(datagram[3..]));
        }
        else if (_known[datagram[2]] == remote)
        {
            Reached = remote;
        }
    }

    /// <summary>What a server answers: the address it saw.</summary>
    public static void Serve(SimSocket socket) => socket.OnDatagram = (local, remote, datagram) =>
    {
        Span<byte> answer = stackalloc byte[21];
        answer[0] = Answer;
        BinaryPrimitives.WriteUInt16BigEndian(answer[3..], (ushort)remote.Port);
        int length = 5 + remote.WriteAddress(answer[5..]);
        _ = socket.Send(remote, answer[..length], local);
    };
}
