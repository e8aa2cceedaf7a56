using Gimlet.Quic.Tls.Extensions;

namespace Gimlet.Quic.Tls.Messages;

/// <summary>NewSessionTicket (RFC 8446 section 4.6.1): checked, then forgotten; we resume nothing.</summary>
internal static class NewSessionTicketMessage
{
    // RFC 9001 section 4.6.1: "To communicate their willingness to process 0-RTT data, servers send a NewSessionTicket message that
    // contains the early_data extension with a max_early_data_size of 0xffffffff."
    private const uint QuicEarlyData = 0xffff_ffff;

    public static TlsError? Check(ReadOnlySpan<byte> body, TlsLimits limits)
    {
        var reader = new TlsReader(body);
        if (!reader.TryReadUInt32(out _)
            || !reader.TryReadUInt32(out _)
            || !reader.TryReadVector8(out _)
            || !reader.TryReadVector16(out ReadOnlySpan<byte> ticket)
            || ticket.IsEmpty
            || !reader.TryReadVector16(out ReadOnlySpan<byte> block)
            || !reader.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("NewSessionTicket is malformed");
        }

        if ((ExtensionList.Parse(block, limits, out ExtensionList extensions)
            ?? ExtensionRules.CheckRequest(extensions, ExtensionPlace.NewSessionTicket)) is { } error)
        {
            return error;
        }

        if (!extensions.TryFind(ExtensionType.EarlyData, out ReadOnlySpan<byte> earlyData))
        {
            return null;
        }

        var size = new TlsReader(earlyData);
        if (!size.TryReadUInt32(out uint maximum) || !size.IsEmpty)
        {
            return TlsAlert.DecodeError.Because("NewSessionTicket's early_data is malformed");
        }

        // "A client MUST treat receipt of a NewSessionTicket that contains an early_data extension with any other value as a connection
        // error of type PROTOCOL_VIOLATION."
        return maximum == QuicEarlyData
            ? null
            : TlsError.ProtocolViolation("NewSessionTicket's early_data is not 0xffffffff");
    }
}
