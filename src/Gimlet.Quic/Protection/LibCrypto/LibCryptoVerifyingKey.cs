using Gimlet.Quic.Protection.Curves;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>ECDSA verification by libcrypto.</summary>
internal sealed unsafe class LibCryptoVerifyingKey(EllipticCurve curve, KeyHandle key) : IVerifyingKey
{
    /// <inheritdoc/>
    public bool Verify(ReadOnlySpan<byte> hash, ReadOnlySpan<byte> signature)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, curve.FieldLength(), nameof(hash));
        using KeyContext context = NativeMethods.NewKeyContext(key, 0);
        if (context.IsInvalid || NativeMethods.BeginVerification(context) != 1)
        {
            throw KeyHandle.Failure("a verification");
        }

        bool isGood;
        fixed (byte* signaturePointer = signature, hashPointer = hash)
        {
            // A null pointer asks the library something else.
            isGood = !signature.IsEmpty
                && NativeMethods.Verify(context, signaturePointer, (nuint)signature.Length, hashPointer, (nuint)hash.Length) == 1;
        }

        if (!isGood)
        {
            NativeMethods.ClearErrors();
        }

        return isGood;
    }

    public void Dispose() => key.Dispose();
}
