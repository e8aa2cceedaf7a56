using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>An EVP_CIPHER_CTX with its key: made once and used for every packet.</summary>
internal sealed unsafe class CipherContext : SafeHandleZeroOrMinusOneIsInvalid
{
    private CipherContext(nint context)
        : base(ownsHandle: true) => SetHandle(context);

    /// <summary>Makes a context for AES-GCM.</summary>
    public static CipherContext CreateGcm(PacketCipher cipher, ReadOnlySpan<byte> key) =>
        Create(cipher == PacketCipher.Aes128GcmSha256 ? NativeMethods.Aes128Gcm() : NativeMethods.Aes256Gcm(), cipher, key);

    /// <summary>Makes a context for AES-ECB.</summary>
    public static CipherContext CreateEcb(PacketCipher cipher, ReadOnlySpan<byte> key)
    {
        CipherContext context =
            Create(cipher == PacketCipher.Aes128GcmSha256 ? NativeMethods.Aes128Ecb() : NativeMethods.Aes256Ecb(), cipher, key);
        _ = NativeMethods.SetPadding(context.handle, 0);
        return context;
    }

    /// <summary>Makes the exception for a call that failed, and leaves no error behind for other users of the library on this thread.</summary>
    public static CryptographicException Failure()
    {
        NativeMethods.ClearErrors();
        return new CryptographicException("libcrypto failed to process a packet.");
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.FreeContext(handle);
        return true;
    }

    private static CipherContext Create(nint algorithm, PacketCipher cipher, ReadOnlySpan<byte> key)
    {
        // The library reads as many bytes as the algorithm's key has.
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, cipher.KeyLength(), nameof(key));
        var context = new CipherContext(NativeMethods.NewContext());
        fixed (byte* pointer = key)
        {
            if (context.IsInvalid || NativeMethods.Initialize(context.handle, algorithm, 0, pointer, null, encrypt: 1) != 1)
            {
                context.Dispose();
                throw Failure();
            }
        }

        return context;
    }
}
