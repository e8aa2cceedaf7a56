using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Wire;

public sealed class AllocationTests
{
    [Fact]
    public void Writing_and_reading_headers_allocates_nothing()
    {
        ConnectionId destination = Ids.Hex("0102030405060708"), source = Ids.Hex("1112131415161718");
        byte[] buffer = new byte[1200];
        Allocations.AssertNone(() =>
        {
            PacketLayout layout = LongHeader.Write(buffer, PacketType.Initial, destination, source, "token"u8, 7, 2);
            LongHeader.WriteLength(buffer, layout, 100);
            int length = layout.PayloadOffset + 100;
            _ = ShortHeader.Write(buffer.AsSpan(length), destination, isSpinning: false, 8, 2);
            var packets = new CoalescedPackets(buffer, destination.Length);
            int count = 0;
            while (packets.TryRead(out PacketSlice packet))
            {
                count += packet.Destination == destination ? 1 : 0;
            }

            if (count != 2)
            {
                throw new InvalidOperationException("The datagram has two packets.");
            }
        });
    }
}
