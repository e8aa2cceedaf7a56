using System.Globalization;
using Gimlet.Quic.Interop.Foreigners;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Ours;
using Gimlet.Quic.Interop.Wire;

namespace Gimlet.Quic.Interop.Tests;

/// <summary>A third opinion on our packets: Wireshark's, with the secrets of our key log.</summary>
public sealed class DissectionTests
{
    // RFC 9000 section 19.
    private const int Ack = 0x02;
    private const int Crypto = 0x06;
    private const int NewToken = 0x07;
    private const int FirstStream = 0x08;
    private const int LastStream = 0x0f;
    private const int NewConnectionId = 0x18;
    private const int ApplicationClose = 0x1d;
    private const int HandshakeDone = 0x1e;

    // PI_WARN of Wireshark. Below are notes, such as that a retransmission is one.
    private const int Warning = 0x600000;

    [Theory(Timeout = Deadlines.Test)]
    [MemberData(nameof(InteropMatrix.Cells), Scenario.Dissection, MemberType = typeof(InteropMatrix))]
    public async Task Wireshark_understands_every_packet(Foreign peer, Role role)
    {
        using var folder = new TemporaryFolder();
        string file = folder.PathOf("transfer.pcap");
        string keys = folder.PathOf("keys");
        int count;
        using (var capture = new PcapCapture(file))
        {
            _ = await new Meeting(peer, role)
            {
                Length = 200_000,
                Rules = [capture],
                Endpoint = Protocols.Endpoint with { KeyLogFile = keys },
                WaitsForClose = true,
            }.TransferAsync();
            count = capture.Count;
        }

        IReadOnlyList<string[]> packets = await Tshark.DecodeAsync(
            file, keys, "udp", "udp.dstport", "quic.frame_type", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message");
        string[] bad =
        [
            .. packets.Where(packet => packet[1].Length == 0 || packet[2].Length > 0 || IsWarning(packet[3])).Select(packet => string.Join(" | ", packet)),
        ];

        Assert.Equal(count, packets.Count);
        Assert.True(bad.Length == 0, string.Join('\n', bad));
        HashSet<int> client = Types(packets, toServer: true);
        HashSet<int> server = Types(packets, toServer: false);
        foreach (HashSet<int> side in (HashSet<int>[])[client, server])
        {
            Assert.Superset(new HashSet<int> { Ack, Crypto, NewConnectionId }, side);
            Assert.Contains(side, type => type is >= FirstStream and <= LastStream);
        }

        Assert.Contains(ApplicationClose, client);
        Assert.Contains(HandshakeDone, server);
        if (role == Role.Client)
        {
            Assert.Contains(NewToken, server);
        }
    }

    private static bool IsWarning(string severities) =>
        severities.Length > 0 && severities.Split(',').Any(severity => int.Parse(severity, CultureInfo.InvariantCulture) >= Warning);

    private static HashSet<int> Types(IReadOnlyList<string[]> packets, bool toServer)
    {
        string port = PcapCapture.ServerPort.ToString(CultureInfo.InvariantCulture);
        return
        [
            .. packets.Where(packet => packet[0] == port == toServer)
                .SelectMany(packet => packet[1].Split(',')).Select(type => int.Parse(type, CultureInfo.InvariantCulture)),
        ];
    }
}
