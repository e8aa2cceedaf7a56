namespace Gimlet.Quic.Tls.Messages;

/// <summary>
/// Turns a stream of handshake bytes into whole messages (one byte type, three bytes length, body). The caller looks at the header
/// before more is held, so no more than one admitted message and what came with it is ever kept.
/// </summary>
internal sealed class HandshakeBuffer
{
    public const int HeaderLength = 4;

    private byte[] _bytes = [];
    private int _start;
    private int _end;

    public bool IsEmpty => _start == _end;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _end < bytes.Length)
        {
            // Doubling: a peer that sends a long message one byte per frame must not have it copied for every byte.
            int held = _end - _start;
            int needed = held + bytes.Length;
            byte[] target = _bytes.Length < needed ? new byte[Math.Max(needed, 2 * held)] : _bytes;
            _bytes.AsSpan(_start, held).CopyTo(target);
            (_bytes, _start, _end) = (target, 0, held);
        }

        bytes.CopyTo(_bytes.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>The header of the next message, once its four bytes are here.</summary>
    public bool TryPeek(out HandshakeType type, out int bodyLength)
    {
        type = default;
        bodyLength = 0;
        if (_end - _start < HeaderLength)
        {
            return false;
        }

        ReadOnlySpan<byte> header = _bytes.AsSpan(_start, HeaderLength);
        type = (HandshakeType)header[0];
        bodyLength = (header[1] << 16) | (header[2] << 8) | header[3];
        return true;
    }

    /// <summary>Takes the next message with its header once it is whole; the bytes are valid until the next <see cref="Append"/>.</summary>
    public bool TryTake(out ReadOnlySpan<byte> message)
    {
        if (!TryPeek(out _, out int bodyLength) || _end - _start < HeaderLength + bodyLength)
        {
            message = default;
            return false;
        }

        message = _bytes.AsSpan(_start, HeaderLength + bodyLength);
        _start += message.Length;
        return true;
    }

    /// <summary>Gives the memory back: thousands of idle connections keep their TLS object but not its buffers.</summary>
    public void ReleaseIfEmpty()
    {
        if (IsEmpty)
        {
            (_bytes, _start, _end) = ([], 0, 0);
        }
    }
}
