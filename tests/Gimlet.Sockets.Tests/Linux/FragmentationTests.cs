using System.Net;

namespace Gimlet.Sockets.Tests.Linux;

/// <summary>Datagrams beside the MTU of an interface.</summary>
public sealed class FragmentationTests
{
    [Theory]
    [InlineData("Best", "127.0.0.1", 1472)]
    [InlineData("Best", "::1", 1452)]
    [InlineData("LinuxWithoutBatches", "127.0.0.1", 1472)]
    [InlineData("LinuxWithoutOffloads", "::1", 1452)]
    [InlineData("LinuxRefusingSegmentation", "127.0.0.1", 1472)]
    [InlineData("Portable", "127.0.0.1", 1472)]
    [InlineData("Portable", "::1", 1452)]
    public void Without_fragments_a_datagram_is_as_large_as_the_interface_takes(string implementation, string address, int largest) => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Command("ip", "link set lo up mtu 1500");
        using DatagramSocket whole = Bind(implementation, address, dontFragment: true);
        using DatagramSocket usual = Bind(implementation, address, dontFragment: false);
        Assert.True(whole.Capabilities.HasFlag(DatagramSocketCapabilities.DontFragment));
        Assert.False(usual.Capabilities.HasFlag(DatagramSocketCapabilities.DontFragment));

        byte[] payload = new byte[(2 * largest) + 2];
        Assert.Equal(DatagramSendResult.Sent, whole.Send(payload.AsSpan(0, largest), whole.LocalAddress));
        Assert.Equal(DatagramSendResult.TooLarge, whole.Send(payload.AsSpan(0, largest + 1), whole.LocalAddress));
        Assert.Equal(DatagramSendResult.Sent, whole.SendSegments(payload.AsSpan(0, 2 * largest), largest, whole.LocalAddress, out int sent));
        Assert.Equal(2, sent);
        DatagramSocketCapabilities before = whole.Capabilities;
        Assert.Equal(DatagramSendResult.TooLarge, whole.SendSegments(payload, largest + 1, whole.LocalAddress, out sent));
        Assert.Equal(0, sent);
        Assert.Equal(before, whole.Capabilities);
        var batch = new DatagramSendBatch(2, payload.Length);
        batch.TryAdd(payload, whole.LocalAddress, segmentSize: largest + 1);
        batch.TryAdd(payload, whole.LocalAddress, segmentSize: largest);
        Assert.Equal(1, whole.Send(batch));
        Assert.Equal(DatagramSendResult.TooLarge, batch.ResultOf(0));
        Assert.Equal(0, batch.SegmentsSentOf(0));
        Assert.Equal([largest, largest, largest, largest, largest, 2], Received(whole, 6));

        // Fragmented, each of them, with the same outcome whether the kernel joins segments or not.
        Assert.Equal(DatagramSendResult.Sent, usual.Send(payload.AsSpan(0, largest + 1), usual.LocalAddress));
        Assert.Equal(DatagramSendResult.Sent, usual.SendSegments(payload, largest + 1, usual.LocalAddress, out sent));
        Assert.Equal(2, sent);
        Assert.Equal([largest + 1, largest + 1, largest + 1], Received(usual, 3));
    });

    private static DatagramSocket Bind(string implementation, string address, bool dontFragment) =>
        DatagramSocket.Bind(new DatagramSocketOptions
        {
            LocalEndPoint = new IPEndPoint(IPAddress.Parse(address), 0),
            DontFragment = dontFragment,
            Implementation = Enum.Parse<DatagramSocketImplementation>(implementation),
        });

    private static List<int> Received(DatagramSocket socket, int count)
    {
        var batch = new DatagramReceiveBatch(8, 4096);
        var lengths = new List<int>();
        while (lengths.Count < count)
        {
            Assert.True(socket.ReceiveBlocking(batch) > 0);
            for (int i = 0; i < batch.Count; i++)
            {
                lengths.Add(batch[i].Payload.Length);
            }
        }

        return lengths;
    }
}
