using System.Buffers.Binary;
using Gimlet.Quic.Streams;
using Xunit;

namespace Gimlet.Simulation.Tests;

/// <summary>
/// Bytes on their way from one side to the other on a stream of their own. Each byte follows from the flow's number and its place, so one that is missing, doubled
/// or overtaken is seen where it happens.
/// </summary>
internal sealed class Flow(int number, int sender, int total, int chunk, TimeSpan interval)
{
    private const int HeadLength = sizeof(int);

    [ThreadStatic]
    private static byte[]? _expected;

    /// <summary>0 for the first side, 1 for the second.</summary>
    public int Sender { get; } = sender;

    public int Total { get; } = total;

    public int Written { get; private set; }

    public int Read { get; private set; }

    /// <summary>All of it arrived, and its end.</summary>
    public bool IsDelivered { get; private set; }

    /// <summary>When the last bytes came.</summary>
    public TimeSpan? ArrivedAt { get; private set; }

    /// <summary>The longest time without a byte since <see cref="ForgetGap"/>, while there were some to come.</summary>
    public TimeSpan LongestGap { get; private set; }

    /// <summary>When that gap was over.</summary>
    public TimeSpan LongestGapAt { get; private set; }

    public void ForgetGap() => LongestGap = TimeSpan.Zero;

    /// <summary>Reads the number of the flow that a stream carries; false before it has come.</summary>
    public static bool TryReadNumber(QuicStreamState stream, out int number)
    {
        number = 0;
        if (stream.Available < HeadLength)
        {
            return false;
        }

        Span<byte> head = stackalloc byte[HeadLength];
        Assert.Equal(HeadLength, stream.Read(head));
        number = BinaryPrimitives.ReadInt32LittleEndian(head);
        return true;
    }

    /// <summary>Writes from now on, a chunk every interval; what does not fit waits for room.</summary>
    public void Start(SimConnection connection, QuicStreamState stream)
    {
        Span<byte> head = stackalloc byte[HeadLength];
        BinaryPrimitives.WriteInt32LittleEndian(head, number);
        Assert.Equal(HeadLength, stream.Write(head));
        Write(connection, stream);
    }

    /// <summary>There is data on the receiver's stream.</summary>
    public void Receive(QuicStreamState stream, TimeSpan now)
    {
        Span<byte> piece = stackalloc byte[2048];
        for (int read = stream.Read(piece); read > 0; read = stream.Read(piece))
        {
            Assert.True(Read + read <= Written, $"flow {number}: {Read + read} bytes came of {Written} that were sent");
            Assert.True(piece[..read].SequenceEqual(Pattern(Read, read)), $"flow {number}: a byte between {Read} and {Read + read} is not the one that was sent");
            Read += read;
            if (ArrivedAt is { } before && now - before > LongestGap)
            {
                (LongestGap, LongestGapAt) = (now - before, now);
            }

            ArrivedAt = now;
        }

        if (stream.IsReadEnd)
        {
            Assert.False(IsDelivered, $"flow {number} ended twice");
            Assert.Equal(Total, Read);
            IsDelivered = true;
        }
    }

    /// <summary>Writes as much as is due and fits.</summary>
    public void Write(SimConnection connection, QuicStreamState stream)
    {
        if (connection.End is not null || stream.IsFinished)
        {
            return;
        }

        int due = interval == TimeSpan.Zero ? Total - Written : Math.Min(chunk, Total - Written);
        while (due > 0)
        {
            int length = Math.Min(due, 2048);
            int taken = stream.Write(Pattern(Written, length));
            Written += taken;
            due -= taken;
            if (taken < length)
            {
                // The stream tells when there is room.
                return;
            }
        }

        if (Written == Total)
        {
            stream.Finish();
        }
        else
        {
            World world = connection.Node.Host.World;
            world.After(interval, () => connection.Node.Act(() => Continue(connection, stream)));
        }
    }

    public override string ToString() => $"flow {number} of side {Sender}: {Read} of {Written} written of {Total} B{(IsDelivered ? ", delivered" : string.Empty)}";

    private void Continue(SimConnection connection, QuicStreamState stream)
    {
        Write(connection, stream);
        connection.Node.Connections!.Touch(connection.Quic);
    }

    private ReadOnlySpan<byte> Pattern(int start, int length)
    {
        Span<byte> bytes = (_expected ??= new byte[2048]).AsSpan(0, length);
        for (int i = 0; i < length; i++)
        {
            uint place = (uint)(start + i);
            bytes[i] = (byte)(((place * 2_654_435_761u) ^ ((uint)number * 0x9e37_79b9u)) >> 13);
        }

        return bytes;
    }
}
