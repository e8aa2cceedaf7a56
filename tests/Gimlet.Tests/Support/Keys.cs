using System.Security.Cryptography;
using Gimlet.Calls;
using Gimlet.Identity;

namespace Gimlet.Tests.Support;

/// <summary>Keys that the tests need again and again, made once.</summary>
internal static class Keys
{
    private static readonly Lazy<NodeIdentity[]> Ordered = new(static () =>
    {
        NodeIdentity[] identities = [NodeIdentity.Create(), NodeIdentity.Create(), NodeIdentity.Create()];
        return [.. identities.OrderBy(i => i.Id)];
    });

    /// <summary>The identity with the smallest id of the three: it controls.</summary>
    public static NodeIdentity Small => Ordered.Value[0];

    public static NodeIdentity Large => Ordered.Value[2];

    public static NodeIdentity Stranger => Ordered.Value[1];

    public static byte[] Point(ECDiffieHellman key) => P256.ExportPoint(key.ExportParameters(includePrivateParameters: false));

    public static ECDiffieHellman NewAgreementKey() => ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The keys of a call, as both of its sides compute them.</summary>
    public static (CallKeys Caller, CallKeys Callee) OfCall(CallId call, PeerId caller, PeerId callee)
    {
        using ECDiffieHellman ephemeral = NewAgreementKey();
        using ECDiffieHellman prekey = NewAgreementKey();
        return (CallKeys.TryDerive(ephemeral, Point(prekey), call, caller, callee)!, CallKeys.TryDerive(prekey, Point(ephemeral), call, caller, callee)!);
    }
}
