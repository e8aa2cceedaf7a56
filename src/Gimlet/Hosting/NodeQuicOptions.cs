using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Quic;

namespace Gimlet.Hosting;

/// <summary>How a node's QUIC connections are made.</summary>
internal sealed class NodeQuicOptions : IDisposable
{
    /// <summary>A machine that slept, or a network that was gone, for less than this goes on as if nothing had been.</summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Field notes: what keeps a path alive elsewhere; six tries before the idle timeout.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(5);

    private readonly ECDsa _key;
    private readonly QuicCertificate _certificate;
    private readonly GimletNodeOptions _options;
    private readonly byte[] _resetKey;

    public NodeQuicOptions(NodeIdentity identity, GimletNodeOptions options)
    {
        _options = options;
        _key = identity.CloneKey();
        _certificate = QuicCertificate.FromKey(_key);

        // The same in every run with this key: a peer that still believes in a connection of an earlier run learns at once that it is over.
        _resetKey = identity.DeriveSecret("gimlet.v1 stateless reset", QuicEndpointOptions.StatelessResetKeyLength);
    }

    public QuicEndpointOptions Endpoint() => new() { TimeProvider = _options.TimeProvider, StatelessResetKey = _resetKey };

    /// <summary>How peers are served.</summary>
    /// <param name="begun">Called as soon as a connection begins, before its handshake: it may be put on a path.</param>
    public QuicServerOptions Server(Action<QuicConnection>? begun = null) => new()
    {
        ConnectionBegun = begun,
        ApplicationProtocols = [.. _options.Protocols.Select(static p => new SslApplicationProtocol(p))],
        Certificate = _certificate,
        ClientCertificate = QuicClientCertificateMode.Required,

        // Any node's key: that it is the one of the peer that called on this path is looked at before anybody gets the connection.
        DecideCertificate = static peer => P256.IsSubjectPublicKeyInfo(peer.SubjectPublicKeyInfo.Span)
            ? QuicCertificateVerdict.Accept
            : QuicCertificateVerdict.Refuse("the key is not one of a node (P-256)"),
        GimletPaths = true,
        IdleTimeout = IdleTimeout,
        KeepAliveInterval = KeepAlive,

        // Strangers have been told apart before: a connection begins only where a call was accepted.
        Retry = QuicRetryPolicy.Never,
    };

    public QuicClientOptions Client(string protocol, PeerId peer) => new()
    {
        ApplicationProtocols = [new SslApplicationProtocol(protocol)],
        Certificate = _certificate,
        DecideCertificate = shown => PeerId.FromPublicKey(shown.SubjectPublicKeyInfo.Span) == peer
            ? QuicCertificateVerdict.Accept
            : QuicCertificateVerdict.Refuse($"the key is not the one of {peer}"),
        GimletPaths = true,
        IdleTimeout = IdleTimeout,
        KeepAliveInterval = KeepAlive,
    };

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
        CryptographicOperations.ZeroMemory(_resetKey);
    }
}
