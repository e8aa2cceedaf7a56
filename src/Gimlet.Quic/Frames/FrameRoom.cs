using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Frames;

/// <summary>How much data fits behind a Length field whose own length depends on it.</summary>
internal static class FrameRoom
{
    /// <summary>The most data.</summary>
    /// <param name="available">The room for the whole frame, in bytes.</param>
    /// <param name="head">What comes before the Length field, in bytes.</param>
    /// <returns>In bytes; negative where not even an empty frame fits.</returns>
    public static int ForData(int available, int head)
    {
        int room = available - head;
        int data = room - VariableLengthInteger.LengthOf(Math.Max(room, 0));

        // The data's Length field may be shorter than the room's own would be: 64 bytes hold a length of one byte and 63 of data.
        while (data >= 0 && data + 1 + VariableLengthInteger.LengthOf(data + 1) <= room)
        {
            data++;
        }

        return data;
    }
}
