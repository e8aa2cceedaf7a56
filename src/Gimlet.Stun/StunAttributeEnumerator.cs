using System.Buffers.Binary;

namespace Gimlet.Stun;

/// <summary>
/// Walks the attributes that count. What follows an integrity attribute is not protected by it, so RFC 8489 has it ignored:
/// after MESSAGE-INTEGRITY only MESSAGE-INTEGRITY-SHA256 and FINGERPRINT count (section 14.5), after
/// MESSAGE-INTEGRITY-SHA256 only FINGERPRINT (section 14.6), and FINGERPRINT is the last (section 14.7).
/// It never reads past the bytes it was given: an attribute that does not fit ends the walk.
/// </summary>
public ref struct StunAttributeEnumerator
{
    private readonly ReadOnlySpan<byte> _message;
    private int _position;
    private Trailer _seen;
    private StunAttribute _current;

    internal StunAttributeEnumerator(ReadOnlySpan<byte> message)
    {
        _message = message;
        _position = StunHeader.Length;
        _seen = Trailer.Nothing;
        _current = default;
    }

    private enum Trailer
    {
        Nothing,
        Integrity,
        IntegritySha256,
        Fingerprint,
    }

    /// <summary>The attribute at which the walk stands.</summary>
    public readonly StunAttribute Current => _current;

    /// <summary>Goes to the next attribute that counts.</summary>
    /// <returns>False at the end, or at bytes that are no attribute.</returns>
    public bool MoveNext()
    {
        while (_message.Length - _position >= StunHeader.AttributeHeaderLength)
        {
            ReadOnlySpan<byte> rest = _message[_position..];
            var type = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(rest);
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            int total = StunHeader.AttributeHeaderLength + StunHeader.Padded(length);
            if (total > rest.Length)
            {
                break;
            }

            int offset = _position;
            _position += total;
            if (Counts(type))
            {
                _current = new StunAttribute(type, rest.Slice(StunHeader.AttributeHeaderLength, length), offset);
                return true;
            }
        }

        _position = _message.Length;
        return false;
    }

    private bool Counts(StunAttributeType type)
    {
        Trailer kind = type switch
        {
            StunAttributeType.MessageIntegrity => Trailer.Integrity,
            StunAttributeType.MessageIntegritySha256 => Trailer.IntegritySha256,
            StunAttributeType.Fingerprint => Trailer.Fingerprint,
            _ => Trailer.Nothing,
        };
        if (_seen != Trailer.Nothing && kind <= _seen)
        {
            return false;
        }

        _seen = kind;
        return true;
    }
}
