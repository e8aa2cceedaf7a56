using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Quic.Tests.Api.Support;

namespace Gimlet.Quic.Tests.Api;

public sealed class OptionTests
{
    public static TheoryData<string, Func<QuicServerOptions, QuicServerOptions>> BadServers => new()
    {
        { "ApplicationProtocols", o => o with { ApplicationProtocols = [] } },
        { "ApplicationProtocols", o => o with { ApplicationProtocols = [default] } },
        { "DecideCertificate", o => o with { DecideCertificate = null! } },
        { "IdleTimeout", o => o with { IdleTimeout = TimeSpan.Zero } },
        { "IdleTimeout", o => o with { IdleTimeout = TimeSpan.FromDays(2) } },
        { "KeepAliveInterval", o => o with { KeepAliveInterval = TimeSpan.Zero } },
        { "HandshakeTimeout", o => o with { HandshakeTimeout = TimeSpan.FromSeconds(-1) } },
        { "ConnectionWindow", o => o with { ConnectionWindow = -1 } },
        { "StreamWindow", o => o with { StreamWindow = long.MaxValue } },
        { "SendBufferBytes", o => o with { SendBufferBytes = 0 } },
        { "MaxInboundBidirectionalStreams", o => o with { MaxInboundBidirectionalStreams = -1 } },
        { "MaxInboundUnidirectionalStreams", o => o with { MaxInboundUnidirectionalStreams = 70_000 } },
        { "DatagramQueueBytes", o => o with { DatagramQueueBytes = -5 } },
        { "MaxUdpPayload", o => o with { MaxUdpPayload = 1199 } },
        { "MaxUdpPayload", o => o with { MaxUdpPayload = 65_508 } },
        { "DefaultCloseErrorCode", o => o with { DefaultCloseErrorCode = -1 } },
        { "DefaultStreamErrorCode", o => o with { DefaultStreamErrorCode = 1L << 62 } },
        { "CipherSuites", o => o with { CipherSuites = [] } },
        { "CipherSuites", o => o with { CipherSuites = [TlsCipherSuite.TLS_RSA_WITH_AES_128_CBC_SHA] } },
        { "Certificate", o => o with { Certificate = null! } },
        { "AcceptBacklog", o => o with { AcceptBacklog = 0 } },
        { "MaxConnections", o => o with { MaxConnections = 0 } },
        { "MaxHalfOpen", o => o with { MaxHalfOpen = 0 } },
        { "Retry", o => o with { Retry = null! } },
        { "ClientCertificate", o => o with { ClientCertificate = (QuicClientCertificateMode)7 } },
    };

    public static TheoryData<string, Func<QuicEndpointOptions, QuicEndpointOptions>> BadEndpoints => new()
    {
        { "TimeProvider", o => o with { TimeProvider = null! } },
        { "KeyLogFile", o => o with { KeyLogFile = string.Empty } },
        { "QlogDirectory", o => o with { QlogDirectory = string.Empty } },
        { "StatelessResetKey", o => o with { StatelessResetKey = new byte[31] } },
        { "MaxAnswersPerSecond", o => o with { MaxAnswersPerSecond = -1 } },
        { "ShutdownLinger", o => o with { ShutdownLinger = TimeSpan.FromHours(1) } },
        { "ReceiveBufferBytes", o => o with { ReceiveBufferBytes = 0 } },
        { "SendBufferBytes", o => o with { SendBufferBytes = -1 } },
    };

    [Fact]
    public void Defaults_are_good()
    {
        TestEndpoints.ServerOptions.Validate();
        TestEndpoints.ClientOptions.Validate();
        new QuicEndpointOptions().Validate();
        (TestEndpoints.ServerOptions with { IdleTimeout = Timeout.InfiniteTimeSpan }).Validate();

        // 65,535 less the headers of IPv4 and UDP.
        (TestEndpoints.ServerOptions with { MaxUdpPayload = 65_507 }).Validate();
    }

    [Theory]
    [MemberData(nameof(BadServers))]
    public void A_wrong_option_is_named(string name, Func<QuicServerOptions, QuicServerOptions> change)
    {
        ArgumentException exception = Assert.ThrowsAny<ArgumentException>(change(TestEndpoints.ServerOptions).Validate);
        Assert.Equal(name, exception.ParamName);
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BadEndpoints))]
    public void A_wrong_option_of_an_endpoint_is_named(string name, Func<QuicEndpointOptions, QuicEndpointOptions> change)
    {
        ArgumentException exception = Assert.ThrowsAny<ArgumentException>(change(new QuicEndpointOptions()).Validate);
        Assert.Equal(name, exception.ParamName);
    }

    [Fact]
    public void A_target_host_that_is_none_is_named() =>
        Assert.Contains("no host", Assert.ThrowsAny<ArgumentException>((TestEndpoints.ClientOptions with { TargetHost = "no host" }).Validate).Message, StringComparison.Ordinal);

    [Fact]
    public void Who_decides_nothing_accepts_nobody()
    {
        var peer = new QuicPeerCertificate([new byte[] { 1 }], new byte[] { 1 }, "host");
        Assert.False(new QuicClientOptions { ApplicationProtocols = [TestEndpoints.Protocol] }.DecideCertificate(peer).IsAccepted);
        Assert.False(default(QuicCertificateVerdict).IsAccepted);
    }

    [Fact]
    public void Keys_that_cannot_sign_are_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        Assert.Contains("521", Assert.Throws<ArgumentException>(() => QuicCertificate.FromKey(key)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_kind_of_error_has_a_string_of_its_own()
    {
        QuicErrorKind[] kinds = Enum.GetValues<QuicErrorKind>();
        Assert.Equal(kinds.Length, kinds.Select(k => k.ToKindString()).Distinct(StringComparer.Ordinal).Count());
        Assert.All(kinds, k => Assert.Matches("^[a-z]+(-[a-z]+)*$", k.ToKindString()));
        _ = Assert.Throws<ArgumentOutOfRangeException>(() => ((QuicErrorKind)999).ToKindString());
    }
}
