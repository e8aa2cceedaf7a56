using System.Runtime.InteropServices;

namespace Gimlet.Quic.Recovery;

/// <summary>A packet that was declared lost.</summary>
/// <param name="PacketNumber">Its number.</param>
/// <param name="Sequence">Its place among the packets of the path.</param>
/// <param name="ForgetAt">When nobody expects it any more.</param>
/// <param name="EventNumber">The congestion event its loss belonged to.</param>
/// <param name="IsByTime">Whether its age made it lost.</param>
/// <param name="IsCounted">Whether it is one of the losses of the event: no MTU probe, and in flight.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LostPacket(long PacketNumber, long Sequence, TimeSpan ForgetAt, int EventNumber, bool IsByTime, bool IsCounted);

/// <summary>
/// Packets of one space on one path that were declared lost a short while ago, in case they were only late (RFC 9438 section 4.9). A ring of
/// bounded size: what falls out of it is truly lost.
/// </summary>
internal sealed class LostPackets
{
    private const int FirstCapacity = 16;

    private readonly int _most;
    private LostPacket[] _packets = [];
    private bool[] _isSpurious = [];
    private int _head;

    /// <summary>Nothing is remembered yet.</summary>
    /// <param name="most">How many are remembered; a power of two.</param>
    public LostPackets(int most) => _most = most;

    public int Count { get; private set; }

    /// <summary>Remembers a packet; its number is larger than all before.</summary>
    public void Add(in LostPacket packet)
    {
        if (Count == _most)
        {
            RemoveFirst();
        }
        else if (Count == _packets.Length)
        {
            Grow();
        }

        int place = Place(Count++);
        _packets[place] = packet;
        _isSpurious[place] = false;
    }

    /// <summary>Takes the packets of a range that were not taken before.</summary>
    /// <param name="smallest">The range.</param>
    /// <param name="largest">The range.</param>
    /// <param name="index">Where to go on: 0 for a new range.</param>
    /// <param name="packet">A packet that is not lost after all.</param>
    public bool TryTake(long smallest, long largest, ref int index, out LostPacket packet)
    {
        if (index == 0 && Count > 0 && _packets[_head].PacketNumber < smallest)
        {
            index = IndexOf(smallest);
        }

        for (; index < Count; index++)
        {
            int place = Place(index);
            packet = _packets[place];
            if (packet.PacketNumber > largest)
            {
                break;
            }

            if (!_isSpurious[place])
            {
                _isSpurious[place] = true;
                index++;
                return true;
            }
        }

        packet = default;
        return false;
    }

    /// <summary>Forgets what is too long ago or was taken. Not between calls of <see cref="TryTake"/> for one range.</summary>
    public void Expire(TimeSpan now)
    {
        while (Count > 0 && (_isSpurious[_head] || _packets[_head].ForgetAt <= now))
        {
            RemoveFirst();
        }
    }

    private void RemoveFirst()
    {
        _head = Place(1);
        Count--;
    }

    private int Place(int index) => (_head + index) & (_packets.Length - 1);

    private int IndexOf(long packetNumber)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (int)(((uint)low + (uint)high) / 2);
            if (_packets[Place(middle)].PacketNumber < packetNumber)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void Grow()
    {
        int capacity = Math.Min(_most, Math.Max(FirstCapacity, _packets.Length * 2));
        var packets = new LostPacket[capacity];
        bool[] isSpurious = new bool[capacity];
        for (int i = 0; i < Count; i++)
        {
            packets[i] = _packets[Place(i)];
            isSpurious[i] = _isSpurious[Place(i)];
        }

        _packets = packets;
        _isSpurious = isSpurious;
        _head = 0;
    }
}
