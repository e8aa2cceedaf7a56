using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Wire;
using Gimlet.Sockets;

namespace Gimlet.Quic.Tests.Wire;

public sealed class TransportParameterTests
{
    internal static readonly TransportParameters Everything = new()
    {
        OriginalDestinationConnectionId = Ids.Hex("0102030405060708"),
        MaxIdleTimeout = 30_000,
        StatelessResetToken = new StatelessResetToken("0123456789abcdef"u8),
        MaxUdpPayloadSize = 1472,
        InitialMaxData = 1 << 24,
        InitialMaxStreamDataBidirectionalLocal = 1 << 20,
        InitialMaxStreamDataBidirectionalRemote = (1 << 20) + 1,
        InitialMaxStreamDataUnidirectional = (1 << 20) + 2,
        InitialMaxStreamsBidirectional = TransportParameters.MaxStreams,
        InitialMaxStreamsUnidirectional = 3,
        AckDelayExponent = 20,
        MaxAckDelay = TransportParameters.MaxMaxAckDelay,
        DisableActiveMigration = true,
        PreferredAddress = new PreferredAddress(
            TransportAddress.Parse("192.0.2.1:443"),
            TransportAddress.Parse("[2001:db8::1]:444"),
            Ids.Hex("aa"),
            new StatelessResetToken("fedcba9876543210"u8)),
        ActiveConnectionIdLimit = 8,
        InitialSourceConnectionId = Ids.Hex("1112131415161718191a1b1c1d1e1f2021222324"),
        RetrySourceConnectionId = default(ConnectionId),
        MaxDatagramFrameSize = 65_535,
        GreaseQuicBit = true,
        GimletPaths = TransportParameters.CurrentGimletPaths,
    };

    [Fact]
    public void All_parameters_are_read_as_they_were_written()
    {
        byte[] bytes = Write(Everything, EndpointRole.Server, new Random(1).NextBytes);
        Assert.Equal(Everything, Read(bytes, EndpointRole.Server));
    }

    [Fact]
    public void What_was_not_sent_has_the_default_of_the_standard()
    {
        Assert.Empty(Write(new TransportParameters(), EndpointRole.Client));
        TransportParameters read = Read([], EndpointRole.Client);
        Assert.Equal(new TransportParameters(), read);
        Assert.Equal((65527, 3, 25, 2), (read.MaxUdpPayloadSize, read.AckDelayExponent, read.MaxAckDelay, read.ActiveConnectionIdLimit));
    }

    [Fact]
    public void A_preferred_address_may_have_one_family_only()
    {
        var address = new PreferredAddress(
            default, TransportAddress.Parse("[2001:db8::1]:444"), Ids.Hex("aabb"), new StatelessResetToken("fedcba9876543210"u8));
        var parameters = new TransportParameters { PreferredAddress = address };
        byte[] bytes = Write(parameters, EndpointRole.Server);
        Assert.Equal(new byte[6], bytes[2..8]);
        Assert.Equal(address, Read(bytes, EndpointRole.Server).PreferredAddress);
    }

    [Fact]
    public void Unknown_and_reserved_parameters_are_ignored()
    {
        byte[] bytes = [0x40, 0x99, 3, 1, 2, 3, 27, 0, 0x40, 58, 1, 0xff, 0x01, 1, 5];
        Assert.True(TransportParameterIds.IsReserved(27));
        Assert.True(TransportParameterIds.IsReserved(58));
        Assert.False(TransportParameterIds.IsReserved((long)TransportParameterId.GimletPaths));
        Assert.True(TransportParameterIds.IsReserved(TransportParameterIds.Reserved(uint.MaxValue)));
        Assert.Equal(new TransportParameters { MaxIdleTimeout = 5 }, Read(bytes, EndpointRole.Client));
    }

    [Theory]
    [InlineData("01", "cut after the id")]
    [InlineData("0102", "cut after the length")]
    [InlineData("010240", "cut in the value")]
    [InlineData("0101400101", "an integer shorter than its field")]
    [InlineData("01020100", "an integer longer than its encoding")]
    [InlineData("0100", "an empty integer")]
    [InlineData("01010501010a", "a duplicate")]
    [InlineData("409901004099010e", "an unknown duplicate")]
    [InlineData("030244af", "max_udp_payload_size of 1199")]
    [InlineData("0a0115", "ack_delay_exponent of 21")]
    [InlineData("0b0480004000", "max_ack_delay of 2^14")]
    [InlineData("0808d000000000000001", "initial_max_streams_bidi of 2^60 + 1")]
    [InlineData("0908d000000000000001", "initial_max_streams_uni of 2^60 + 1")]
    [InlineData("0e0101", "active_connection_id_limit of 1")]
    [InlineData("0c0100", "disable_active_migration with a value")]
    [InlineData("6ab20100", "grease_quic_bit with a value")]
    [InlineData("0f15000000000000000000000000000000000000000000", "a connection id of 21 bytes")]
    [InlineData("020f000000000000000000000000000000", "a reset token of 15 bytes")]
    [InlineData("0d290000000000000000000000000000000000000000000000000000000000000000000000000000000000", "a preferred address without an id")]
    public void Bad_values_are_transport_parameter_errors(string hex, string because)
    {
        byte[] bytes = Convert.FromHexString(hex);
        Assert.False(TransportParameterReader.TryRead(bytes, EndpointRole.Server, out _, out QuicError error), because);
        Assert.Equal(TransportErrorCode.TransportParameterError, error.Code);
        Assert.NotEmpty(error.Reason);
    }

    [Theory]
    [InlineData("0000")]
    [InlineData("1000")]
    [InlineData("0210000102030405060708090a0b0c0d0e0f")]
    [InlineData("0d2a00000000000000000000000000000000000000000000000001aa000102030405060708090a0b0c0d0e0f")]
    public void A_client_must_not_send_the_parameters_of_servers(string hex)
    {
        byte[] bytes = Convert.FromHexString(hex);
        Assert.True(TransportParameterReader.TryRead(bytes, EndpointRole.Server, out TransportParameters parameters, out _));
        Assert.False(TransportParameterReader.TryRead(bytes, EndpointRole.Client, out _, out QuicError error));
        Assert.Equal(TransportErrorCode.TransportParameterError, error.Code);
        Assert.Throws<InvalidOperationException>(() => Write(parameters, EndpointRole.Client));
    }

    [Fact]
    public void The_client_hello_of_RFC_9001_has_readable_parameters()
    {
        // The extension of the ClientHello in appendix A.2.
        byte[] bytes = Convert.FromHexString(
            "0408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff");
        TransportParameters read = Read(bytes, EndpointRole.Client);
        Assert.Equal(VariableLengthInteger.MaxValue, read.InitialMaxData);
        Assert.Equal((16, 16), (read.InitialMaxStreamsBidirectional, read.InitialMaxStreamsUnidirectional));
        Assert.Equal(30_000, read.MaxIdleTimeout);
        Assert.Equal(Ids.Hex("8394c8f03e515708"), read.InitialSourceConnectionId);
        Assert.Equal(0xffff, read.InitialMaxStreamDataBidirectionalRemote);
    }

    [Fact]
    public void Connection_ids_of_the_packets_must_be_those_of_the_parameters()
    {
        ConnectionId source = Ids.Hex("aaaa"), original = Ids.Hex("0102030405060708"), retry = Ids.Hex("bbbb");
        var without = new TransportParameters { InitialSourceConnectionId = source, OriginalDestinationConnectionId = original };
        TransportParameters with = without with { RetrySourceConnectionId = retry };

        Assert.False(ConnectionIdAuthentication.CheckClient(without, source).IsError);
        Assert.True(ConnectionIdAuthentication.CheckClient(without, retry).IsError);
        Assert.True(ConnectionIdAuthentication.CheckClient(new TransportParameters(), default).IsError);

        Assert.False(ConnectionIdAuthentication.CheckServer(without, source, original, retrySource: null).IsError);
        Assert.False(ConnectionIdAuthentication.CheckServer(with, source, original, retry).IsError);
        Assert.True(ConnectionIdAuthentication.CheckServer(with, source, original, retrySource: null).IsError);
        Assert.True(ConnectionIdAuthentication.CheckServer(without, source, original, retry).IsError);
        Assert.True(ConnectionIdAuthentication.CheckServer(with, source, original, source).IsError);
        Assert.True(ConnectionIdAuthentication.CheckServer(without, source, retry, retrySource: null).IsError);
        Assert.True(ConnectionIdAuthentication.CheckServer(without, retry, original, retrySource: null).IsError);
        Assert.True(ConnectionIdAuthentication.CheckServer(
            without with { OriginalDestinationConnectionId = null }, source, original, retrySource: null).IsError);

        TransportParameters preferred =
            without with { InitialSourceConnectionId = default(ConnectionId), PreferredAddress = Everything.PreferredAddress };
        Assert.True(ConnectionIdAuthentication.CheckServer(preferred, default, original, retrySource: null).IsError);
    }

    internal static byte[] Write(TransportParameters parameters, EndpointRole sender, Action<Span<byte>>? random = null)
    {
        byte[] buffer = new byte[TransportParameterWriter.MaxLength];
        return buffer[..TransportParameterWriter.Write(buffer, parameters, sender, random)];
    }

    private static TransportParameters Read(byte[] bytes, EndpointRole sender)
    {
        Assert.True(TransportParameterReader.TryRead(bytes, sender, out TransportParameters parameters, out QuicError error), error.Reason);
        Assert.False(error.IsError);
        return parameters;
    }
}
