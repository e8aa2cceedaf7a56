namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>AES-ECB of one block by libcrypto.</summary>
internal sealed unsafe class LibCryptoHeaderProtector : IHeaderProtector
{
    private readonly CipherContext _owner;
    private nint _context;

    public LibCryptoHeaderProtector(PacketCipher cipher, ReadOnlySpan<byte> key)
    {
        _owner = CipherContext.CreateEcb(cipher, key);
        _context = _owner.DangerousGetHandle();
    }

    /// <inheritdoc/>
    public void Mask(ReadOnlySpan<byte> sample, Span<byte> mask)
    {
        ObjectDisposedException.ThrowIf(_context == 0, this);
        ArgumentOutOfRangeException.ThrowIfNotEqual(sample.Length, IHeaderProtector.SampleLength, nameof(sample));
        ArgumentOutOfRangeException.ThrowIfLessThan(mask.Length, IHeaderProtector.SampleLength, nameof(mask));
        int written;
        fixed (byte* input = sample, output = mask)
        {
            int result = NativeMethods.Update(_context, output, &written, input, IHeaderProtector.SampleLength);
            GC.KeepAlive(this);
            if (result != 1)
            {
                throw CipherContext.Failure();
            }
        }
    }

    public void Dispose()
    {
        _context = 0;
        _owner.Dispose();
    }
}
