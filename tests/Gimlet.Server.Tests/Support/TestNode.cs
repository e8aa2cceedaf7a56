using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Support;

/// <summary>A node's keys and the messages it would send, signed as docs/protocol.md says. Knows nothing of how they travel.</summary>
internal sealed class TestNode : IDisposable
{
    private readonly ECDiffieHellman _prekey = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    public NodeIdentity Identity { get; } = NodeIdentity.Create();

    public PeerId Id => Identity.Id;

    public static CandidateDescription[] Host(params string[] addresses) =>
        [.. addresses.Select(a => new CandidateDescription { Kind = CandidateKindText.Host, Address = a })];

    public static string NewCallId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SignalProtocol.CallIdLength));

    public SignedKey Prekey()
    {
        byte[] point = P256.ExportPoint(_prekey.ExportParameters(false));
        return new SignedKey { Key = point, Signature = Identity.Sign(Statement.Prekey(point)) };
    }

    public RegisterMessage Register(ReadOnlySpan<byte> nonce, string authority, string accept = AcceptMode.Open) => new()
    {
        PublicKey = Identity.PublicKey.ToArray(),
        Signature = Identity.Sign(Statement.Registration(authority, nonce, Identity.PublicKey.Span)),
        Accept = accept,
        Capabilities = [Capability.Direct, Capability.Relay],
        Prekey = Prekey(),
        Candidates = Host("192.168.1.5:4000"),
        Nat = new NatDescription { Mapping = "endpoint-independent", Filtering = "unknown", Evidence = "2 probes, 1 port" },
        Agent = "test/1",
    };

    public ConnectMessage Call(PeerId target, string? callId = null)
    {
        using var ephemeral = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        byte[] point = P256.ExportPoint(ephemeral.ExportParameters(false));
        callId ??= NewCallId();
        return new ConnectMessage
        {
            Call = callId,
            Target = target.ToString(),
            Candidates = Host("192.168.7.7:5000"),
            Ephemeral = new SignedKey { Key = point, Signature = Identity.Sign(Statement.CallKey(Convert.FromHexString(callId), Id, target, point)) },
        };
    }

    public void Dispose()
    {
        _prekey.Dispose();
        Identity.Dispose();
    }
}
