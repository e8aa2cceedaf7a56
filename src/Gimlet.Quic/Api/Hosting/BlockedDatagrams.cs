using System.Buffers;
using Gimlet.Quic.Connections;

namespace Gimlet.Quic.Hosting;

/// <summary>
/// What the system would not take yet: kept until it does, so that nothing is dropped and nothing spins. At most one transmit of one connection.
/// </summary>
internal struct BlockedDatagrams
{
    private byte[]? _bytes;
    private int _offset;
    private Transmit _transmit;

    /// <summary>Whether something waits.</summary>
    public readonly bool IsEmpty => _bytes is null;

    /// <summary>What waits.</summary>
    public readonly ReadOnlySpan<byte> Rest => _bytes.AsSpan(_offset, _transmit.Length - _offset);

    /// <summary>Where it goes; its length is that of the whole.</summary>
    public readonly Transmit Transmit => _transmit;

    /// <summary>Keeps a copy.</summary>
    /// <param name="transmit">Where it goes.</param>
    /// <param name="rest">What was not taken.</param>
    public void Keep(in Transmit transmit, ReadOnlySpan<byte> rest)
    {
        _bytes = ArrayPool<byte>.Shared.Rent(rest.Length);
        rest.CopyTo(_bytes);
        _offset = 0;
        _transmit = transmit with { Length = rest.Length };
    }

    /// <summary>Some of it was taken.</summary>
    public void Skip(int count) => _offset += count;

    /// <summary>Nothing waits any longer.</summary>
    public void Clear()
    {
        if (_bytes is { } bytes)
        {
            ArrayPool<byte>.Shared.Return(bytes);
            _bytes = null;
        }
    }
}
