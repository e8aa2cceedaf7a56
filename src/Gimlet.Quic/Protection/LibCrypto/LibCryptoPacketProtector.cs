namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>AES-GCM by libcrypto: about 0.35 us for 1200 bytes, and no exception for a forged packet.</summary>
internal sealed unsafe class LibCryptoPacketProtector : IPacketProtector
{
    // EVP_CTRL_AEAD_GET_TAG and EVP_CTRL_AEAD_SET_TAG of openssl/evp.h.
    private const int GetTag = 0x10;
    private const int SetTag = 0x11;

    private readonly CipherContext _owner;

    // The raw handle: counting references of the safe one for each of five calls would take a fifth of a packet's time. Whoever calls holds
    // this object, and with it the safe handle, until the end of the method.
    private nint _context;

    public LibCryptoPacketProtector(PacketCipher cipher, ReadOnlySpan<byte> key)
    {
        _owner = CipherContext.CreateGcm(cipher, key);
        _context = _owner.DangerousGetHandle();
    }

    /// <inheritdoc/>
    public void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> payload, Span<byte> tag)
    {
        CheckLengths(nonce, tag);
        fixed (byte* tagPointer = tag)
        {
            bool isSealed = TryProcess(nonce, header, payload, encrypt: 1)
                && TryComplete()
                && NativeMethods.Control(_context, GetTag, PacketCiphers.TagLength, tagPointer) == 1;
            GC.KeepAlive(this);
            if (!isSealed)
            {
                throw CipherContext.Failure();
            }
        }
    }

    /// <inheritdoc/>
    public bool Open(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> tag)
    {
        CheckLengths(nonce, tag);
        bool isAuthentic;
        fixed (byte* tagPointer = tag)
        {
            if (!TryProcess(nonce, header, payload, encrypt: 0)
                || NativeMethods.Control(_context, SetTag, PacketCiphers.TagLength, tagPointer) != 1)
            {
                throw CipherContext.Failure();
            }

            isAuthentic = TryComplete();
            GC.KeepAlive(this);
        }

        if (!isAuthentic)
        {
            // What was decrypted is nobody's plaintext. A failure must not be found by another user of the library on this thread.
            payload.Clear();
            NativeMethods.ClearErrors();
        }

        return isAuthentic;
    }

    public void Dispose()
    {
        _context = 0;
        _owner.Dispose();
    }

    // The library reads and writes this many bytes, whatever the spans have.
    private void CheckLengths(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> tag)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, PacketCiphers.NonceLength, nameof(nonce));
        ArgumentOutOfRangeException.ThrowIfNotEqual(tag.Length, PacketCiphers.TagLength, nameof(tag));
    }

    private bool TryProcess(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> payload, int encrypt)
    {
        int written;
        fixed (byte* noncePointer = nonce, headerPointer = header, payloadPointer = payload)
        {
            // The key and its schedule stay; only the nonce and the direction change. An update without bytes is left out: its null pointers
            // mean something else to the library.
            return NativeMethods.Initialize(_context, 0, 0, null, noncePointer, encrypt) == 1
                && (header.IsEmpty || NativeMethods.Update(_context, null, &written, headerPointer, header.Length) == 1)
                && (payload.IsEmpty || NativeMethods.Update(_context, payloadPointer, &written, payloadPointer, payload.Length) == 1);
        }
    }

    // GCM has nothing left to write at the end; the room is there because the interface permits a block.
    private bool TryComplete()
    {
        int written;
        byte* block = stackalloc byte[16];
        return NativeMethods.Complete(_context, block, &written) == 1;
    }
}
