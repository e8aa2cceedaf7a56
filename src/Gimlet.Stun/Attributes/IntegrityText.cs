using System.Buffers;

namespace Gimlet.Stun.Attributes;

/// <summary>
/// The bytes that an integrity attribute covers: the message up to it, with a header whose length ends with that attribute
/// (RFC 8489 section 14.5). Uses the message itself where that is its length already, else a patched copy.
/// </summary>
internal readonly ref struct IntegrityText : IDisposable
{
    /// <summary>
    /// How much stack a caller offers for the copy: checks and answers are far below; longer messages borrow from the pool.
    /// </summary>
    public const int StackLength = 512;

    private readonly byte[]? _rented;

    public IntegrityText(StunMessage message, StunAttribute attribute, Span<byte> scratch)
    {
        ReadOnlySpan<byte> covered = message.Bytes[..attribute.Offset];
        int end = attribute.Offset + StunHeader.AttributeHeaderLength + attribute.Value.Length;
        if (end == message.Bytes.Length)
        {
            Bytes = covered;
            return;
        }

        if (covered.Length > scratch.Length)
        {
            _rented = ArrayPool<byte>.Shared.Rent(covered.Length);
            scratch = _rented;
        }

        scratch = scratch[..covered.Length];
        covered.CopyTo(scratch);
        StunHeader.WriteLength(scratch, end - StunHeader.Length);
        Bytes = scratch;
    }

    public ReadOnlySpan<byte> Bytes { get; }

    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
        }
    }
}
