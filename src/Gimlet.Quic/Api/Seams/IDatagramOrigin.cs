using Gimlet.Sockets;

namespace Gimlet.Quic;

/// <summary>
/// Where received datagrams came from, before anybody knows whether they matter: a stranger gets no entry in any table. The owner's receive loop
/// may use one instance for all of its datagrams; it is asked only while <see cref="QuicReceiver.Receive(IDatagramOrigin, EcnMark, Span{byte},
/// int)"/> runs.
/// </summary>
public interface IDatagramOrigin
{
    /// <summary>The path to there; made when it is first asked for, which happens only when a connection takes a datagram.</summary>
    QuicPath Path { get; }

    /// <summary>
    /// Whether a stranger may begin a connection from there. False: what begins one is dropped without an answer or state, whatever its version. Asked once for
    /// each such datagram.
    /// </summary>
    bool MayBegin => true;

    /// <summary>Writes what identifies the address, for the tokens that prove it (RFC 9000 section 8.1.3).</summary>
    /// <param name="destination">At least <see cref="MaxAddressLength"/> bytes.</param>
    /// <param name="hostLength">So many of the first bytes are the same when the peer comes back: of a UDP address, all but its port.</param>
    /// <returns>How many bytes were written.</returns>
    int WriteAddress(Span<byte> destination, out int hostLength);

    /// <summary>Sends one datagram back without state, best effort: a Retry, a Version Negotiation, a stateless reset.</summary>
    /// <param name="datagram">The datagram.</param>
    void Answer(ReadOnlySpan<byte> datagram);

    /// <summary>The most bytes that <see cref="WriteAddress"/> writes. An IPv6 address with its scope and port has 22.</summary>
    const int MaxAddressLength = 32;
}
