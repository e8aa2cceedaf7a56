using System.Net.Security;
using System.Security.Cryptography;

namespace Gimlet.Quic.Tls.Keys;

/// <summary>
/// The four traffic secrets of a handshake and the schedule they come from. RFC 8446 section 7.1: "Once all the values which are to be
/// derived from a given secret have been computed, that secret SHOULD be erased."
/// </summary>
internal sealed class HandshakeKeys(TlsCipherSuite suite) : IDisposable
{
    private readonly KeySchedule _schedule = new(suite);

    public TlsCipherSuite Suite { get; } = suite;

    public byte[] ClientHandshake { get; private set; } = [];

    public byte[] ServerHandshake { get; private set; } = [];

    public byte[] ClientApplication { get; private set; } = [];

    public byte[] ServerApplication { get; private set; } = [];

    /// <summary>Takes the ECDHE secret.</summary>
    /// <param name="shared">The secret; not kept.</param>
    /// <param name="transcriptHash">ClientHello to ServerHello.</param>
    public void EnterHandshake(ReadOnlySpan<byte> shared, ReadOnlySpan<byte> transcriptHash)
    {
        _schedule.EnterHandshake(shared);
        ClientHandshake = _schedule.Derive("c hs traffic"u8, transcriptHash);
        ServerHandshake = _schedule.Derive("s hs traffic"u8, transcriptHash);
    }

    /// <summary>Derives what protects application data.</summary>
    /// <param name="transcriptHash">ClientHello to the server's Finished.</param>
    public void EnterApplication(ReadOnlySpan<byte> transcriptHash)
    {
        _schedule.EnterMaster();
        ClientApplication = _schedule.Derive("c ap traffic"u8, transcriptHash);
        ServerApplication = _schedule.Derive("s ap traffic"u8, transcriptHash);
        _schedule.Dispose();
    }

    public void Dispose()
    {
        _schedule.Dispose();
        CryptographicOperations.ZeroMemory(ClientHandshake);
        CryptographicOperations.ZeroMemory(ServerHandshake);
        CryptographicOperations.ZeroMemory(ClientApplication);
        CryptographicOperations.ZeroMemory(ServerApplication);
    }
}
