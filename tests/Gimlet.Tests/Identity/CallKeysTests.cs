using System.Security.Cryptography;
using System.Text;
using Gimlet.Calls;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Identity;

public sealed class CallKeysTests
{
    private static readonly CallId Call = new("0123456789abcdef"u8);
    private static readonly PeerId Caller = Keys.Small.Id;
    private static readonly PeerId Callee = Keys.Large.Id;

    [Fact]
    public void Both_sides_derive_the_same_keys_and_each_direction_has_its_own()
    {
        (CallKeys caller, CallKeys callee) = Keys.OfCall(Call, Caller, Callee);
        using (caller)
        using (callee)
        {
            Assert.Equal(caller.Caller.ToArray(), callee.Caller.ToArray());
            Assert.Equal(caller.Callee.ToArray(), callee.Callee.ToArray());
            Assert.NotEqual(caller.Caller.ToArray(), caller.Callee.ToArray());
        }
    }

    [Fact]
    public void The_derivation_is_the_one_of_the_protocol()
    {
        using ECDiffieHellman ephemeral = Keys.NewAgreementKey();
        using ECDiffieHellman prekey = Keys.NewAgreementKey();
        using CallKeys keys = CallKeys.TryDerive(ephemeral, Keys.Point(prekey), Call, Caller, Callee)!;

        using ECDiffieHellmanPublicKey other = prekey.PublicKey;
        byte[] shared = ephemeral.DeriveRawSecretAgreement(other);
        byte[] info = new byte[16 + 64];
        Call.CopyTo(info);
        Caller.CopyTo(info.AsSpan(16));
        Callee.CopyTo(info.AsSpan(48));
        byte[] expected = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 64, Encoding.ASCII.GetBytes("gimlet.v1 checks"), info);
        Assert.Equal(expected[..32], keys.Caller.ToArray());
        Assert.Equal(expected[32..], keys.Callee.ToArray());
    }

    [Fact]
    public void Another_call_another_peer_or_the_other_order_gives_other_keys()
    {
        using ECDiffieHellman ephemeral = Keys.NewAgreementKey();
        using ECDiffieHellman prekey = Keys.NewAgreementKey();
        byte[] point = Keys.Point(prekey);
        CallKeys[] all =
        [
            CallKeys.TryDerive(ephemeral, point, Call, Caller, Callee)!,
            CallKeys.TryDerive(ephemeral, point, new CallId("0123456789abcdeg"u8), Caller, Callee)!,
            CallKeys.TryDerive(ephemeral, point, Call, Callee, Caller)!,
            CallKeys.TryDerive(ephemeral, point, Call, Caller, Keys.Stranger.Id)!,
            CallKeys.TryDerive(prekey, point, Call, Caller, Callee)!,
        ];
        Assert.Equal(all.Length, all.Select(k => Convert.ToHexString(k.Caller)).Distinct().Count());
        Array.ForEach(all, k => k.Dispose());
    }

    [Fact]
    public void The_server_that_carried_the_points_cannot_derive_them()
    {
        using ECDiffieHellman ephemeral = Keys.NewAgreementKey();
        using ECDiffieHellman prekey = Keys.NewAgreementKey();
        using ECDiffieHellman server = Keys.NewAgreementKey();
        using CallKeys keys = CallKeys.TryDerive(ephemeral, Keys.Point(prekey), Call, Caller, Callee)!;
        foreach (byte[] point in new[] { Keys.Point(ephemeral), Keys.Point(prekey) })
        {
            using CallKeys guess = CallKeys.TryDerive(server, point, Call, Caller, Callee)!;
            Assert.NotEqual(keys.Caller.ToArray(), guess.Caller.ToArray());
        }
    }

    [Fact]
    public void A_bad_point_gives_no_keys()
    {
        using ECDiffieHellman own = Keys.NewAgreementKey();
        byte[] point = Keys.Point(own);
        point[^1] ^= 1;
        Assert.Null(CallKeys.TryDerive(own, point, Call, Caller, Callee));
        Assert.Null(CallKeys.TryDerive(own, [], Call, Caller, Callee));
    }

    [Fact]
    public void Dispose_wipes_the_keys()
    {
        (CallKeys keys, CallKeys other) = Keys.OfCall(Call, Caller, Callee);
        other.Dispose();
        ReadOnlySpan<byte> caller = keys.Caller;
        ReadOnlySpan<byte> callee = keys.Callee;
        keys.Dispose();
        Assert.Equal(new byte[32], caller.ToArray());
        Assert.Equal(new byte[32], callee.ToArray());
    }

    [Fact]
    public void The_text_of_a_call_id_survives_the_round_trip_and_nothing_else_is_one()
    {
        Assert.True(CallId.TryParse(Call.ToString(), out CallId read));
        Assert.Equal(Call, read);
        Assert.True(CallId.TryParse(Encoding.ASCII.GetBytes(Call.ToString()), out read));
        Assert.Equal(Call, read);
        foreach (string? bad in new[] { null, string.Empty, Call.ToString()[1..], Call + "0", new string('g', 32), new string(' ', 32) })
        {
            Assert.False(CallId.TryParse(bad, out _));
            Assert.False(CallId.TryParse(Encoding.ASCII.GetBytes(bad ?? string.Empty), out _));
        }
    }
}
