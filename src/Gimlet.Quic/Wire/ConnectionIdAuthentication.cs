namespace Gimlet.Quic.Wire;

/// <summary>
/// Compares the connection ids in a peer's transport parameters with those of the packets (RFC 9000 section 7.3): packets before
/// the handshake are not authenticated, the parameters are.
/// </summary>
internal static class ConnectionIdAuthentication
{
    /// <summary>A server looks at a client's parameters.</summary>
    /// <param name="parameters">The client's.</param>
    /// <param name="clientSource">The Source Connection ID of its Initial packets.</param>
    public static QuicError CheckClient(TransportParameters parameters, in ConnectionId clientSource) =>
        CheckInitialSource(parameters, clientSource);

    /// <summary>A client looks at a server's parameters.</summary>
    /// <param name="parameters">The server's.</param>
    /// <param name="serverSource">The Source Connection ID of its first Initial packet.</param>
    /// <param name="originalDestination">The Destination Connection ID of the client's very first packet.</param>
    /// <param name="retrySource">The Source Connection ID of the Retry packet, where there was one.</param>
    public static QuicError CheckServer(
        TransportParameters parameters, in ConnectionId serverSource, in ConnectionId originalDestination, ConnectionId? retrySource)
    {
        QuicError error = CheckInitialSource(parameters, serverSource);
        if (error.IsError)
        {
            return error;
        }

        // RFC 9000 section 7.3: "An endpoint MUST treat ... the absence of the original_destination_connection_id transport parameter from
        // the server as a connection error of type TRANSPORT_PARAMETER_ERROR."
        if (parameters.OriginalDestinationConnectionId != originalDestination)
        {
            return Error("original_destination_connection_id is missing or not the one of the first packet");
        }

        // RFC 9000 section 7.3: "absence of the retry_source_connection_id transport parameter from the server after receiving a Retry packet,
        // presence of the retry_source_connection_id transport parameter when no Retry packet was received, or a mismatch"
        if (parameters.RetrySourceConnectionId != retrySource)
        {
            return Error("retry_source_connection_id is not the one of the Retry packet");
        }

        // RFC 9000 section 18.2: "A server that chooses a zero-length connection ID MUST NOT provide a preferred address."
        return parameters.PreferredAddress is not null && serverSource.IsEmpty
            ? Error("a preferred address from a server without a connection id")
            : QuicError.None;
    }

    private static QuicError CheckInitialSource(TransportParameters parameters, in ConnectionId source) =>
        parameters.InitialSourceConnectionId == source
            ? QuicError.None
            : Error("initial_source_connection_id is missing or not the one of the packets");

    private static QuicError Error(string reason) => new(TransportErrorCode.TransportParameterError, reason);
}
