using System.Security.Cryptography;
using Gimlet.Quic.Protection.Curves;
using Microsoft.Win32.SafeHandles;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>An EVP_PKEY on a curve: parameters alone, a public key, or a key pair.</summary>
internal sealed unsafe class KeyHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>Called by the marshalling of what returns one.</summary>
    public KeyHandle()
        : base(ownsHandle: true)
    {
    }

    /// <summary>Makes the parameters of a curve: what keys are made from, which spares looking the curve up for every key (half of its cost).</summary>
    public static KeyHandle CreateParameters(EllipticCurve curve)
    {
        using KeyContext context = NativeMethods.NewKeyContext(0, "EC", 0);
        nint key = 0;
        return !context.IsInvalid
            && NativeMethods.BeginParameters(context) == 1
            && NativeMethods.SetGroup(context, curve == EllipticCurve.P256 ? "P-256" : "P-384") == 1
            && NativeMethods.MakeParameters(context, &key) == 1
            ? Own(key)
            : throw Failure("parameters of a curve");
    }

    /// <summary>Makes a key pair.</summary>
    /// <param name="parameters">Of its curve; only read, so threads may share them.</param>
    public static KeyHandle CreatePair(KeyHandle parameters)
    {
        using KeyContext context = NativeMethods.NewKeyContext(parameters, 0);
        nint key = 0;
        return !context.IsInvalid && NativeMethods.BeginKey(context) == 1 && NativeMethods.MakeKey(context, &key) == 1
            ? Own(key)
            : throw Failure("a key pair");
    }

    /// <summary>Reads a PrivateKeyInfo (DER).</summary>
    /// <param name="parameters">Of the curve that it must be on.</param>
    /// <param name="pkcs8">The bytes.</param>
    public static KeyHandle ReadPair(KeyHandle parameters, ReadOnlySpan<byte> pkcs8)
    {
        KeyHandle key;
        fixed (byte* bytes = pkcs8)
        {
            byte* cursor = bytes;
            key = NativeMethods.ReadPrivateKey(0, &cursor, new(pkcs8.Length));
        }

        if (key.IsInvalid || NativeMethods.HaveEqualParameters(key, parameters) != 1)
        {
            key.Dispose();
            throw Failure("a private key of the curve");
        }

        return key;
    }

    /// <summary>
    /// Makes a public key. libcrypto decodes the point with EC_POINT_oct2point, which refuses coordinates that are not below the prime and points
    /// off the curve; the point at infinity does not have the form that is asked for first. RFC 8446 section 4.2.8.2 on the multiplication with
    /// the group's order, which costs as much as the agreement: "For these curves, implementors do not need to verify membership in the correct
    /// subgroup."
    /// </summary>
    /// <param name="parameters">Of its curve; only read.</param>
    /// <param name="curve">The curve.</param>
    /// <param name="point">From a peer: anything.</param>
    /// <returns>Null when that is no point of the curve.</returns>
    public static KeyHandle? TryReadPoint(KeyHandle parameters, EllipticCurve curve, ReadOnlySpan<byte> point)
    {
        if (!curve.HasPointForm(point))
        {
            return null;
        }

        KeyHandle key = NativeMethods.CopyKey(parameters);
        if (key.IsInvalid)
        {
            key.Dispose();
            throw Failure("a public key");
        }

        fixed (byte* bytes = point)
        {
            if (NativeMethods.SetPoint(key, bytes, (nuint)point.Length) == 1)
            {
                return key;
            }
        }

        key.Dispose();
        NativeMethods.ClearErrors();
        return null;
    }

    /// <summary>Makes the exception for a call that failed, and leaves no error behind for other users of the library on this thread.</summary>
    public static CryptographicException Failure(string what)
    {
        NativeMethods.ClearErrors();
        return new CryptographicException($"libcrypto failed to make {what}.");
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.FreeKey(handle);
        return true;
    }

    private static KeyHandle Own(nint key)
    {
        var owner = new KeyHandle();
        owner.SetHandle(key);
        return owner;
    }
}
