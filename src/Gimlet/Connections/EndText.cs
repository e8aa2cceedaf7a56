using Gimlet.Quic;

namespace Gimlet.Connections;

/// <summary>Why a connection has ended, in words, and what kind of error an end is for whoever dials.</summary>
internal static class EndText
{
    public static string Of(QuicException end) => end.Kind switch
    {
        QuicErrorKind.ConnectionAborted => end.ApplicationErrorCode switch
        {
            CloseCodes.Normal => "closed by the peer",
            CloseCodes.Superseded => "closed by the peer: another connection takes its place",
            CloseCodes.NobodyAccepts => "closed by the peer: its application takes no more connections at the moment",
            CloseCodes.NotCalled => "closed by the peer, which knows of no call for it",
            CloseCodes.Restarted => "closed by the peer, which has taken this node for restarted",
            CloseCodes.NoCommonPath => "closed by the peer: there is no path that both sides may use",
            _ => $"closed by the peer with code {end.ApplicationErrorCode}",
        },
        QuicErrorKind.OperationAborted => "closed by this side",
        QuicErrorKind.ConnectionIdle => "nothing was heard of the peer for too long, by the relay or directly",
        QuicErrorKind.StatelessReset => "the peer has started again and does not know the connection",
        _ => $"{end.Kind.ToKindString()}: {end.Message}",
    };

    /// <summary>What was dialled was half of an older connection, in which only one side believed: it is gone now, and the next try meets none.</summary>
    public static bool IsStale(QuicException end) => end.Kind == QuicErrorKind.StatelessReset
        || (end.Kind == QuicErrorKind.ConnectionAborted && end.ApplicationErrorCode is CloseCodes.Superseded or CloseCodes.Restarted);

    /// <summary>A dial's failure.</summary>
    public static GimletException ToFailure(QuicException end, PeerId peer) => end.Kind switch
    {
        QuicErrorKind.ConnectionTimeout or QuicErrorKind.ConnectionIdle => new GimletException(
            GimletErrorKind.TimedOut, $"{peer} took the call, and its side of the handshake did not arrive in time.", innerException: end),
        QuicErrorKind.NoApplicationProtocol => new GimletException(
            GimletErrorKind.Unsupported, $"{peer} does not speak the application protocol that was asked for.", "Name one that both sides have.", end),
        QuicErrorKind.AuthenticationFailed => new GimletException(
            GimletErrorKind.Refused, $"Whoever answered for {peer} has not proven to be that peer, or did not believe this side: {end.Message}", "Do not trust this server.", end),
        QuicErrorKind.ConnectionRefused => new GimletException(GimletErrorKind.Refused, $"{peer} takes no more connections at the moment.", null, end),
        QuicErrorKind.ConnectionAborted => new GimletException(GimletErrorKind.Refused, $"{peer} ended the connection at once: {Of(end)}.", null, end),
        _ => new GimletException(GimletErrorKind.Transport, $"The connection with {peer} could not be made: {Of(end)}.", null, end),
    };
}
