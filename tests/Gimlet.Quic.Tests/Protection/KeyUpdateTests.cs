using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Tests.Protection.Support;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Protection;

public sealed class KeyUpdateTests : IDisposable
{
    private readonly OneRttPair _pair = new(BclProvider.Instance);

    private OneRttPair.End Client => _pair.Client;

    private OneRttPair.End Server => _pair.Server;

    public void Dispose() => _pair.Dispose();

    [Fact]
    public void An_update_changes_the_keys_of_both_directions()
    {
        Exchange();
        Assert.True(Client.Keys.TryUpdate());
        byte[] first = Client.Seal("new keys");
        OpenedPacket opened = Server.Open(first, out byte[] payload);
        Assert.Equal("new keys"u8, payload);
        Assert.Equal((OpenResult.Opened, 1), (opened.Result, opened.Generation));
        Assert.Equal((1, 1), (Server.Keys.ReadGeneration, Server.Keys.WriteGeneration));
        Assert.Equal((0, 1), (Client.Keys.ReadGeneration, Client.Keys.WriteGeneration));
        Assert.Equal(1, Client.Open(Server.Seal()).Generation);
        Assert.Equal(1, Client.Keys.ReadGeneration);
    }

    [Theory]
    [InlineData((int)PacketCipher.Aes128GcmSha256)]
    [InlineData((int)PacketCipher.Aes256GcmSha384)]
    public void Updates_go_on_for_many_generations_started_by_either_side(int cipher)
    {
        using var pair = new OneRttPair(BclProvider.Instance, (PacketCipher)cipher);
        for (int generation = 0; generation < 10; generation++)
        {
            (OneRttPair.End starter, OneRttPair.End other) = generation % 3 == 0 ? (pair.Server, pair.Client) : (pair.Client, pair.Server);
            Assert.Equal(generation, other.Open(starter.Seal()).Generation);
            Assert.Equal(generation, starter.Open(other.Seal()).Generation);
            Assert.False(starter.Acknowledged(generation).IsError);
            Assert.True(starter.Keys.TryUpdate());
            Assert.Equal(generation + 1, other.Open(starter.Seal()).Generation);
            Assert.Equal(generation + 1, starter.Open(other.Seal()).Generation);
            starter.Keys.DropPreviousKeys();
            other.Keys.DropPreviousKeys();
        }
    }

    [Fact]
    public void Packets_of_the_previous_keys_open_until_those_are_dropped()
    {
        Exchange();
        byte[] late = Client.Seal("late"), later = Client.Seal("later");
        Assert.True(Client.Keys.TryUpdate());
        Assert.True(Server.Open(Client.Seal()).IsOpened);
        Assert.True(Server.Keys.HasPreviousKeys);
        OpenedPacket opened = Server.Open(late, out byte[] payload);
        Assert.Equal("late"u8, payload);
        Assert.Equal((0, 1), (opened.Generation, Server.Keys.ReadGeneration));

        Server.Keys.DropPreviousKeys();
        Assert.Equal(OpenResult.NotAuthentic, Server.Open(later).Result);
    }

    [Fact]
    public void Reordered_packets_around_an_update_all_open()
    {
        Exchange();
        byte[] a = Client.Seal(), b = Client.Seal();
        Assert.True(Client.Keys.TryUpdate());
        byte[] c = Client.Seal(), d = Client.Seal();
        int[] generations = [.. ((byte[][])[d, a, c, b]).Select(packet => Server.Open(packet).Generation)];
        Assert.Equal([1, 0, 1, 0], generations);
    }

    [Fact]
    public void An_update_waits_for_confirmation_acknowledgement_the_peer_and_the_previous_keys()
    {
        using var pair = new OneRttPair(BclProvider.Instance);
        Assert.False(pair.Client.Keys.TryUpdate()); // nothing acknowledged
        _ = pair.Client.Seal();
        Assert.False(pair.Client.Acknowledged(0).IsError);
        Assert.True(pair.Client.Keys.TryUpdate());
        Assert.False(pair.Client.Keys.TryUpdate()); // the peer has not followed
        Assert.True(pair.Server.Open(pair.Client.Seal()).IsOpened);
        Assert.True(pair.Client.Open(pair.Server.Seal()).IsOpened);
        Assert.False(pair.Client.Keys.TryUpdate()); // the new keys are not acknowledged
        Assert.False(pair.Client.Acknowledged(1).IsError);
        Assert.False(pair.Client.Keys.TryUpdate()); // three PTOs have not passed
        pair.Client.Keys.DropPreviousKeys();
        Assert.True(pair.Client.Keys.TryUpdate());
    }

    [Fact]
    public void An_update_is_not_begun_before_the_handshake_is_confirmed()
    {
        byte[] secret = new byte[32];
        using var keys = new OneRttProtection(
            BclProvider.Instance, PacketCipher.Aes128GcmSha256, secret, secret, AeadLimits.Gcm, new ForgeryCount(AeadLimits.Gcm));
        var end = new OneRttPair.End(keys);
        _ = end.Seal();
        Assert.False(end.Acknowledged(0).IsError);
        Assert.False(keys.TryUpdate());
        keys.ConfirmHandshake();
        Assert.True(keys.TryUpdate());
    }

    [Fact]
    public void A_forged_key_phase_changes_nothing()
    {
        Exchange();
        byte[] packet = Client.Seal();
        for (int bit = 0; bit < 5; bit++)
        {
            byte[] forged = [.. packet];
            forged[0] ^= (byte)(1 << bit);
            Assert.Equal(OpenResult.NotAuthentic, Server.Open(forged).Result);
        }

        Assert.Equal((0, 0), (Server.Keys.ReadGeneration, Server.Keys.WriteGeneration));
        Assert.True(Server.Open(packet).IsOpened);
    }

    [Fact]
    public void A_second_update_without_waiting_is_a_key_update_error()
    {
        Exchange();
        Assert.True(Client.Keys.TryUpdate());
        Assert.True(Server.Open(Client.Seal()).IsOpened);

        // The client believes that it got an answer; the server has sent nothing with the new keys.
        using var other = new OneRttPair(BclProvider.Instance);
        Exchange(other);
        Assert.True(other.Client.Keys.TryUpdate());
        Assert.True(other.Server.Open(other.Client.Seal()).IsOpened);
        Assert.True(other.Client.Open(other.Server.Seal()).IsOpened);
        Assert.False(other.Client.Acknowledged(1).IsError);
        other.Client.Keys.DropPreviousKeys();
        Assert.True(other.Client.Keys.TryUpdate());
        Assert.Equal(TransportErrorCode.KeyUpdateError, Server.Open(other.Client.Seal()).Error.Code);
    }

    [Fact]
    public void New_keys_on_an_older_packet_number_are_a_key_update_error()
    {
        Exchange();
        long number = Client.NextNumber;
        Client.NextNumber = number + 5;
        Assert.True(Server.Open(Client.Seal()).IsOpened);
        Assert.True(Client.Keys.TryUpdate());
        Client.NextNumber = number;
        OpenedPacket opened = Server.Open(Client.Seal());
        Assert.Equal((OpenResult.Violation, TransportErrorCode.KeyUpdateError), (opened.Result, opened.Error.Code));
    }

    [Fact]
    public void Old_keys_on_a_newer_packet_number_are_a_key_update_error()
    {
        Exchange();
        long number = Client.NextNumber;
        Client.NextNumber = number + 3;
        byte[] old = Client.Seal();
        Assert.True(Client.Keys.TryUpdate());
        Client.NextNumber = number + 5;
        byte[] fresh = Client.Seal();
        Client.NextNumber = number + 2;
        byte[] wrong = Client.Seal();
        Assert.True(Server.Open(fresh).IsOpened);
        Assert.True(Server.Open(old).IsOpened);
        Assert.Equal(TransportErrorCode.KeyUpdateError, Server.Open(wrong).Error.Code);
    }

    [Fact]
    public void An_acknowledgement_of_new_keys_under_old_keys_is_a_key_update_error()
    {
        Exchange();
        Assert.True(Client.Keys.TryUpdate());
        _ = Client.Seal();
        Assert.Equal(TransportErrorCode.KeyUpdateError, Client.Acknowledged(0).Code);
        Assert.False(Client.Keys.OnAcknowledged(0, 0).IsError);
    }

    [Fact]
    public void Reserved_bits_are_a_protocol_violation_only_when_the_packet_is_authentic()
    {
        byte[] packet = Client.Seal([1, 2, 3], reservedBits: HeaderBits.ShortReserved);
        byte[] forged = [.. packet];
        forged[^1] ^= 1;
        Assert.Equal(OpenResult.NotAuthentic, Server.Open(forged).Result);
        OpenedPacket opened = Server.Open(packet);
        Assert.Equal((OpenResult.Violation, TransportErrorCode.ProtocolViolation), (opened.Result, opened.Error.Code));
    }

    private void Exchange() => Exchange(_pair);

    private static void Exchange(OneRttPair pair)
    {
        Assert.True(pair.Server.Open(pair.Client.Seal()).IsOpened);
        Assert.True(pair.Client.Open(pair.Server.Seal()).IsOpened);
        Assert.False(pair.Client.Acknowledged(0).IsError);
        Assert.False(pair.Server.Acknowledged(0).IsError);
    }
}
