using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Tests.Protection.Support;

namespace Gimlet.Quic.Tests.Protection;

/// <summary>What both implementations of elliptic curves must do, and do alike.</summary>
public sealed class CurveConformanceTests
{
    // FIPS 186-4 appendix D.1.2: the primes of the fields, and the constant b of y^2 = x^3 - 3x + b.
    private const string P256Prime = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
    private const string P256B = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b";
    private const string P384Prime = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff";
    private const string P384B = "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef";

    public static TheoryData<string, int> Cases
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (string name in (string[])["base class library", "libcrypto"])
            {
                data.Add(name, (int)EllipticCurve.P256);
                data.Add(name, (int)EllipticCurve.P384);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Keys_of_both_implementations_agree(string name, int number)
    {
        var curve = (EllipticCurve)number;
        byte[] ourSecret = new byte[curve.FieldLength()], theirSecret = new byte[curve.FieldLength()];
        for (int i = 0; i < 20; i++)
        {
            using IAgreementKey ours = Curves(name).CreateKey(curve);
            using IAgreementKey theirs = BclCurves.Instance.CreateKey(curve);
            Assert.Equal(curve, ours.Curve);
            Assert.True(ours.TryAgree(PointOf(theirs), ourSecret));
            Assert.True(theirs.TryAgree(PointOf(ours), theirSecret));
            Assert.Equal(theirSecret, ourSecret);
            Assert.True(ourSecret.AsSpan().ContainsAnyExcept((byte)0));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void No_two_keys_are_alike(string name, int number)
    {
        var curve = (EllipticCurve)number;
        var seen = new HashSet<string>();
        for (int i = 0; i < 20; i++)
        {
            using IAgreementKey key = Curves(name).CreateKey(curve);
            Assert.True(seen.Add(Convert.ToHexString(PointOf(key))));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Threads_share_a_provider(string name, int number)
    {
        var curve = (EllipticCurve)number;
        ICurveProvider curves = Curves(name);
        using IAgreementKey fixedKey = BclCurves.Instance.CreateKey(curve);
        byte[] fixedPoint = PointOf(fixedKey);
        using ECDsa signer = Signer(curve);
        byte[] hash = Hash(curve), signature = signer.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
        (byte[] Point, byte[] Secret)[] results = new (byte[], byte[])[40];
        Parallel.For(0, results.Length, i =>
        {
            using IAgreementKey key = curves.CreateKey(curve);
            byte[] secret = new byte[curve.FieldLength()];
            Assert.True(key.TryAgree(fixedPoint, secret));
            results[i] = (PointOf(key), secret);
            Assert.True(curves.TryImportVerifier(curve, PointOf(signer), out IVerifyingKey? verifier));
            using IVerifyingKey owned = verifier;
            Assert.True(owned.Verify(hash, signature));
        });

        byte[] expected = new byte[curve.FieldLength()];
        Assert.All(results, result =>
        {
            Assert.True(fixedKey.TryAgree(result.Point, expected));
            Assert.Equal(expected, result.Secret);
        });
    }

    // RFC 8446 section 4.2.8.2: not the point at infinity, both coordinates in their interval, on the curve; and only the uncompressed form.
    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_no_point_of_the_curve_is_refused(string name, int number)
    {
        var curve = (EllipticCurve)number;
        ICurveProvider curves = Curves(name);
        using IAgreementKey own = curves.CreateKey(curve);
        foreach ((string why, byte[] point) in WrongPoints(curve))
        {
            byte[] secret = new byte[curve.FieldLength()];
            Assert.False(own.TryAgree(point, secret), why);
            Assert.False(secret.AsSpan().ContainsAnyExcept((byte)0), why);
            Assert.False(curves.TryImportVerifier(curve, point, out IVerifyingKey? none), why);
            Assert.Null(none);
        }

        // And the key still works.
        using IAgreementKey other = curves.CreateKey(curve);
        Assert.True(own.TryAgree(PointOf(other), new byte[curve.FieldLength()]));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Points_with_a_flipped_bit_are_refused(string name, int number)
    {
        var curve = (EllipticCurve)number;
        var random = new Random(7);
        using IAgreementKey own = Curves(name).CreateKey(curve);
        byte[] point = PointOf(own), secret = new byte[curve.FieldLength()];
        for (int i = 0; i < 300; i++)
        {
            // No other y but the negative one belongs to an x; and of the first byte every bit counts.
            byte[] wrong = [.. point];
            int bit = random.Next(8 * (1 + curve.FieldLength()));
            int at = bit < 8 ? 0 : (bit / 8) + curve.FieldLength();
            wrong[at] ^= (byte)(1 << (bit % 8));
            Assert.False(own.TryAgree(wrong, secret), $"byte {at}");
        }
    }

    // To an implementation that reduces instead of refusing, p + x is x. Small coordinates only: p + x must still fit.
    [Theory]
    [MemberData(nameof(Cases))]
    public void A_coordinate_that_is_not_reduced_is_refused(string name, int number)
    {
        var curve = (EllipticCurve)number;
        (BigInteger p, BigInteger b) = Constants(curve);
        (BigInteger x, BigInteger y) = SmallPoint(p, b);
        using IAgreementKey own = Curves(name).CreateKey(curve);
        byte[] secret = new byte[curve.FieldLength()];
        Assert.True(own.TryAgree(Encode(curve, x, y), secret));
        Assert.True(own.TryAgree(Encode(curve, x, p - y), secret));
        Assert.False(own.TryAgree(Encode(curve, x + p, y), secret));
        Assert.False(Curves(name).TryImportVerifier(curve, Encode(curve, x + p, y), out _));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Signatures_of_the_key_and_no_others_are_good(string name, int number)
    {
        var curve = (EllipticCurve)number;
        using ECDsa signer = Signer(curve);
        using ECDsa stranger = Signer(curve);
        Assert.True(Curves(name).TryImportVerifier(curve, PointOf(signer), out IVerifyingKey? key));
        using IVerifyingKey owned = key;
        byte[] hash = Hash(curve), other = [.. hash];
        other[^1] ^= 1;
        for (int i = 0; i < 20; i++)
        {
            byte[] signature = signer.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
            Assert.True(owned.Verify(hash, signature));
            Assert.False(owned.Verify(other, signature));
            Assert.False(owned.Verify(hash, stranger.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence)));
            Assert.False(owned.Verify(hash, signer.SignHash(hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Damaged_signatures_are_bad_and_throw_nothing(string name, int number)
    {
        var curve = (EllipticCurve)number;
        using ECDsa signer = Signer(curve);
        Assert.True(Curves(name).TryImportVerifier(curve, PointOf(signer), out IVerifyingKey? key));
        using IVerifyingKey owned = key;
        byte[] hash = Hash(curve), good = signer.SignHash(hash, DSASignatureFormat.Rfc3279DerSequence);
        var random = new Random(3);
        Assert.False(owned.Verify(hash, []));
        Assert.False(owned.Verify(hash, [.. good, 0]));
        Assert.False(owned.Verify(hash, new byte[9000]));
        Assert.False(owned.Verify(hash, [0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]));
        Assert.False(owned.Verify(hash, [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]));
        for (int i = 0; i < 200; i++)
        {
            byte[] bad = [.. good];
            bad[random.Next(bad.Length)] ^= (byte)random.Next(1, 256);
            Assert.False(owned.Verify(hash, bad.AsSpan(0, random.Next(3) == 0 ? random.Next(bad.Length) : bad.Length)));
        }

        Assert.True(owned.Verify(hash, good));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_private_key_that_is_given_is_taken_from_its_own_curve_only(string name, int number)
    {
        var curve = (EllipticCurve)number;
        EllipticCurve otherCurve = curve == EllipticCurve.P256 ? EllipticCurve.P384 : EllipticCurve.P256;
        using ECDsa pair = Signer(curve);
        byte[] pkcs8 = pair.ExportPkcs8PrivateKey();
        using IAgreementKey key = Curves(name).ImportKey(curve, pkcs8);
        Assert.Equal(PointOf(pair), PointOf(key));
        Assert.Throws<CryptographicException>(() => Curves(name).ImportKey(otherCurve, pkcs8));
        Assert.Throws<CryptographicException>(() => Curves(name).ImportKey(curve, pkcs8.AsSpan(0, pkcs8.Length - 1)));
        using var rsa = RSA.Create(2048);
        Assert.Throws<CryptographicException>(() => Curves(name).ImportKey(curve, rsa.ExportPkcs8PrivateKey()));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Buffers_of_another_length_are_refused(string name, int number)
    {
        var curve = (EllipticCurve)number;
        using IAgreementKey key = Curves(name).CreateKey(curve);
        byte[] point = PointOf(key);
        Assert.ThrowsAny<ArgumentException>(() => key.WritePoint(new byte[point.Length - 1]));
        Assert.ThrowsAny<ArgumentException>(() => key.WritePoint(new byte[point.Length + 1]));
        Assert.ThrowsAny<ArgumentException>(() => key.TryAgree(point, new byte[curve.FieldLength() - 1]));
        Assert.ThrowsAny<ArgumentException>(() => key.TryAgree(point, new byte[curve.FieldLength() + 1]));
        Assert.True(Curves(name).TryImportVerifier(curve, point, out IVerifyingKey? verifier));
        using IVerifyingKey owned = verifier;
        Assert.ThrowsAny<ArgumentException>(() => owned.Verify(new byte[curve.FieldLength() - 1], [1]));
        Assert.ThrowsAny<ArgumentException>(() => Curves(name).CreateKey((EllipticCurve)0x19));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_disposed_key_is_not_used(string name, int number)
    {
        var curve = (EllipticCurve)number;
        using IAgreementKey other = Curves(name).CreateKey(curve);
        byte[] point = PointOf(other);
        IAgreementKey key = Curves(name).CreateKey(curve);
        Assert.True(Curves(name).TryImportVerifier(curve, point, out IVerifyingKey? verifier));
        key.Dispose();
        key.Dispose();
        verifier.Dispose();
        verifier.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.WritePoint(new byte[point.Length]));
        Assert.Throws<ObjectDisposedException>(() => key.TryAgree(point, new byte[curve.FieldLength()]));
        Assert.Throws<ObjectDisposedException>(() => verifier.Verify(Hash(curve), [1]));
    }

    private static ICurveProvider Curves(string name)
    {
        ICurveProvider curves = Providers.Get(name).Curves;
        Assert.SkipUnless(curves.Name == name, "This platform's libcrypto has no curves that could be used.");
        return curves;
    }

    private static IEnumerable<(string Why, byte[] Point)> WrongPoints(EllipticCurve curve)
    {
        using IAgreementKey key = BclCurves.Instance.CreateKey(curve);
        byte[] good = PointOf(key), x = good[1..(1 + curve.FieldLength())], y = good[(1 + curve.FieldLength())..];
        EllipticCurve otherCurve = curve == EllipticCurve.P256 ? EllipticCurve.P384 : EllipticCurve.P256;
        using IAgreementKey otherKey = BclCurves.Instance.CreateKey(otherCurve);
        (BigInteger p, _) = Constants(curve);
        byte sign = (byte)(y[^1] & 1);

        yield return ("nothing", []);
        yield return ("infinity", [0]);
        yield return ("infinity, as long as a point", new byte[good.Length]);
        yield return ("the origin", [4, .. new byte[2 * curve.FieldLength()]]);
        yield return ("coordinates alone", good[1..]);
        yield return ("cut short", good[..^1]);
        yield return ("a byte more", [.. good, 0]);
        yield return ("compressed", [(byte)(2 + sign), .. x]);
        yield return ("hybrid", [(byte)(6 + sign), .. x, .. y]);
        yield return ("compressed tag on both coordinates", [(byte)(2 + sign), .. x, .. y]);
        yield return ("a point of the other curve", PointOf(otherKey));
        yield return ("coordinates swapped", [4, .. y, .. x]);
        yield return ("y off by one", [.. good[..^1], (byte)(good[^1] ^ 1)]);
        yield return ("x is the prime", [4, .. Bytes(curve, p), .. y]);
        yield return ("y is the prime", [4, .. x, .. Bytes(curve, p)]);
        yield return ("all ones", [4, .. Enumerable.Repeat((byte)0xff, 2 * curve.FieldLength())]);
    }

    private static (BigInteger X, BigInteger Y) SmallPoint(BigInteger p, BigInteger b)
    {
        // Both primes are 3 modulo 4: a square's root is its (p + 1) / 4th power.
        for (BigInteger x = 1; ; x++)
        {
            BigInteger square = (((x * x * x) - (3 * x) + b) % p + p) % p;
            var y = BigInteger.ModPow(square, (p + 1) / 4, p);
            if (y * y % p == square)
            {
                return (x, y);
            }
        }
    }

    private static (BigInteger P, BigInteger B) Constants(EllipticCurve curve) => curve == EllipticCurve.P256
        ? (Parse(P256Prime), Parse(P256B))
        : (Parse(P384Prime), Parse(P384B));

    private static BigInteger Parse(string hex) => BigInteger.Parse("0" + hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static byte[] Encode(EllipticCurve curve, BigInteger x, BigInteger y) => [4, .. Bytes(curve, x), .. Bytes(curve, y)];

    private static byte[] Bytes(EllipticCurve curve, BigInteger value)
    {
        byte[] bytes = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        return [.. new byte[curve.FieldLength() - bytes.Length], .. bytes];
    }

    private static byte[] PointOf(IAgreementKey key)
    {
        byte[] point = new byte[key.Curve.PointLength()];
        key.WritePoint(point);
        return point;
    }

    private static byte[] PointOf(ECDsa key)
    {
        ECPoint q = key.ExportParameters(includePrivateParameters: false).Q;
        return [4, .. q.X!, .. q.Y!];
    }

    private static byte[] Hash(EllipticCurve curve) => [.. Enumerable.Range(1, curve.FieldLength()).Select(i => (byte)i)];

    private static ECDsa Signer(EllipticCurve curve) =>
        ECDsa.Create(curve == EllipticCurve.P256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
}
