using Gimlet.Quic.Tls.Extensions;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>ClientHello (RFC 8446 section 4.1.2) as it was received: spans of the message, structure checked, meaning not.</summary>
internal readonly ref struct ClientHello
{
    public const int RandomLength = 32;

    public ReadOnlySpan<byte> Random { get; private init; }

    public ReadOnlySpan<byte> SessionId { get; private init; }

    /// <summary>The bytes of the list.</summary>
    public ReadOnlySpan<byte> CipherSuites { get; private init; }

    public ReadOnlySpan<byte> CompressionMethods { get; private init; }

    public ExtensionList Extensions { get; private init; }

    public static TlsError? Parse(ReadOnlySpan<byte> body, TlsLimits limits, out ClientHello hello)
    {
        hello = default;
        var reader = new TlsReader(body);
        if (!reader.TryReadUInt16(out _)
            || !reader.TryReadBytes(RandomLength, out ReadOnlySpan<byte> random)
            || !reader.TryReadVector8(out ReadOnlySpan<byte> sessionId)
            || sessionId.Length > 32
            || !reader.TryReadVector16(out ReadOnlySpan<byte> suites)
            || suites.IsEmpty
            || suites.Length % 2 != 0
            || !reader.TryReadVector8(out ReadOnlySpan<byte> compression)
            || compression.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("ClientHello is malformed");
        }

        // RFC 8446 section 4.1.2: TLS 1.2 clients may leave the extensions out; the missing version is told by the caller.
        ReadOnlySpan<byte> block = default;
        if (!reader.IsEmpty && (!reader.TryReadVector16(out block) || !reader.IsEmpty))
        {
            return TlsAlert.DecodeError.Because("ClientHello's extensions are malformed");
        }

        if (ExtensionList.Parse(block, limits, out ExtensionList extensions) is { } error)
        {
            return error;
        }

        hello = new ClientHello
        {
            Random = random,
            SessionId = sessionId,
            CipherSuites = suites,
            CompressionMethods = compression,
            Extensions = extensions,
        };
        return null;
    }
}
