using Gimlet.Quic.Protection;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Protection.Support;

/// <summary>The 1-RTT keys of both ends. Packets are arrays, so a test loses, reorders and changes them as it likes.</summary>
internal sealed class OneRttPair : IDisposable
{
    public static readonly ConnectionId Id = Ids.Hex("0102030405060708");

    public OneRttPair(IProtectionProvider provider, PacketCipher cipher = PacketCipher.Aes128GcmSha256, AeadLimits? limits = null)
    {
        AeadLimits used = limits ?? AeadLimits.Gcm;
        byte[] client = new byte[cipher.SecretLength()], server = new byte[cipher.SecretLength()];
        new Random(1).NextBytes(client);
        new Random(2).NextBytes(server);
        Client = new End(new OneRttProtection(provider, cipher, client, server, used, new ForgeryCount(used)));
        Server = new End(new OneRttProtection(provider, cipher, server, client, used, new ForgeryCount(used)));
        Client.Keys.ConfirmHandshake();
        Server.Keys.ConfirmHandshake();
    }

    public End Client { get; }

    public End Server { get; }

    public void Dispose()
    {
        Client.Keys.Dispose();
        Server.Keys.Dispose();
    }

    /// <summary>One end with its packet numbers.</summary>
    internal sealed class End(OneRttProtection keys)
    {
        private long _largestReceived = PacketNumber.None;

        public OneRttProtection Keys { get; } = keys;

        public long NextNumber { get; set; }

        public byte[] Seal(string payload = "payload") => Seal(System.Text.Encoding.UTF8.GetBytes(payload));

        public byte[] Seal(byte[] payload, byte reservedBits = 0)
        {
            byte[] packet = new byte[ShortHeader.LengthOf(Id, 4) + payload.Length + PacketCiphers.TagLength];
            PacketLayout layout = ShortHeader.Write(packet, Id, isSpinning: false, NextNumber, 4);
            packet[0] |= reservedBits;
            payload.CopyTo(packet.AsSpan(layout.PayloadOffset));
            Assert.Equal(packet.Length, Keys.Seal(packet, layout, NextNumber, payload.Length));
            NextNumber++;
            return packet;
        }

        /// <summary>Opens a copy.</summary>
        public OpenedPacket Open(byte[] packet, out byte[] payload)
        {
            byte[] copy = [.. packet];
            OpenedPacket opened = Keys.Open(copy, 1 + Id.Length, _largestReceived);
            payload = copy[opened.PayloadOffset..(opened.PayloadOffset + opened.PayloadLength)];
            _largestReceived = Math.Max(_largestReceived, opened.PacketNumber);
            return opened;
        }

        public OpenedPacket Open(byte[] packet) => Open(packet, out _);

        /// <summary>Tells the keys that the last packet was acknowledged in a packet of the other end's.</summary>
        public QuicError Acknowledged(int carrierGeneration) => Keys.OnAcknowledged(NextNumber - 1, carrierGeneration);
    }
}
