using System.Security.Cryptography;
using Gimlet.Identity;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Identity;

public sealed class P256Tests
{
    [Fact]
    public void Points_that_are_not_on_the_curve_agree_to_nothing()
    {
        using ECDiffieHellman own = Keys.NewAgreementKey();
        using ECDiffieHellman other = Keys.NewAgreementKey();
        byte[] good = Keys.Point(other);
        byte[] shared = new byte[32];
        Assert.True(P256.TryAgree(own, good, shared));
        Assert.NotEqual(new byte[32], shared);

        byte[] offCurve = [.. good];
        offCurve[^1] ^= 1;
        byte[] compressed = [(byte)(2 + (good[^1] & 1)), .. good[1..33]];
        byte[] hybrid = [(byte)(6 + (good[^1] & 1)), .. good[1..]];
        byte[] zero = new byte[65];
        zero[0] = 4;
        byte[] aboveTheField = [.. Enumerable.Repeat((byte)0xFF, 65)];
        aboveTheField[0] = 4;
        foreach (byte[] bad in new[] { [], good[..64], [.. good, 0], offCurve, compressed, hybrid, zero, aboveTheField })
        {
            Assert.False(P256.TryAgree(own, bad, shared));
        }
    }

    [Fact]
    public void A_signature_under_a_bad_key_is_simply_not_good()
    {
        byte[] key = Keys.Small.PublicKey.ToArray();
        byte[] signature = Keys.Small.Sign("text"u8);
        Assert.True(P256.Verify(key, "text"u8, signature));

        byte[] offCurve = [.. key];
        offCurve[^1] ^= 1;
        byte[] otherCurve = [.. key];
        otherCurve[22] ^= 1;
        foreach (byte[] bad in new[] { [], key[..90], [.. key, 0], offCurve, otherCurve, new byte[91], Keys.Stranger.PublicKey.ToArray() })
        {
            Assert.False(P256.Verify(bad, "text"u8, signature));
        }

        foreach (byte[] bad in new[] { [], signature[..63], [.. signature, 0], new byte[64], [.. Enumerable.Repeat((byte)0xFF, 64)] })
        {
            Assert.False(P256.Verify(key, "text"u8, bad));
        }
    }

    [Fact]
    public void Both_sides_agree_on_the_same_secret()
    {
        using ECDiffieHellman a = Keys.NewAgreementKey();
        using ECDiffieHellman b = Keys.NewAgreementKey();
        byte[] first = new byte[32];
        byte[] second = new byte[32];
        Assert.True(P256.TryAgree(a, Keys.Point(b), first));
        Assert.True(P256.TryAgree(b, Keys.Point(a), second));
        Assert.Equal(first, second);
    }
}
