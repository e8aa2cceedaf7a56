using System.Net.Security;
using System.Security.Cryptography;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>Finished (RFC 8446 section 4.4.4).</summary>
internal static class FinishedMessage
{
    public static void Write(TlsWriter writer, TlsCipherSuite suite, ReadOnlySpan<byte> baseKey, ReadOnlySpan<byte> transcriptHash)
    {
        int message = writer.BeginMessage(HandshakeType.Finished);
        Span<byte> verifyData = stackalloc byte[suite.HashLength()];
        KeySchedule.Finished(suite, baseKey, transcriptHash, verifyData);
        writer.WriteBytes(verifyData);
        writer.End(message, 3);
    }

    public static TlsError? Check(
        ReadOnlySpan<byte> body, TlsCipherSuite suite, ReadOnlySpan<byte> baseKey, ReadOnlySpan<byte> transcriptHash)
    {
        if (body.Length != suite.HashLength())
        {
            return TlsAlert.DecodeError.Because("Finished has the wrong length");
        }

        Span<byte> verifyData = stackalloc byte[suite.HashLength()];
        KeySchedule.Finished(suite, baseKey, transcriptHash, verifyData);

        // "Recipients of Finished messages MUST verify that the contents are correct and if incorrect MUST terminate the connection with
        // a "decrypt_error" alert." Compared in constant time: an early exit would tell a forger how far it came.
        return CryptographicOperations.FixedTimeEquals(verifyData, body)
            ? null
            : TlsAlert.DecryptError.Because("Finished does not match this handshake");
    }
}
