using System.Diagnostics;

namespace Gimlet.Bench.Quic.Roles;

/// <summary>The measured time of a client and what it counts meanwhile.</summary>
internal sealed class LoadSpan(TimeSpan length)
{
    private long _bytes;
    private long _count;
    private long _start;
    private TimeSpan _processor;
    private long _allocated;
    private volatile bool _isOver;

    public bool IsOver => _isOver;

    /// <summary>The line for the parent.</summary>
    public string Result { get; private set; } = string.Empty;

    public void Begin()
    {
        _processor = Environment.CpuUsage.TotalTime;
        _allocated = GC.GetTotalAllocatedBytes(precise: false);
        _start = Stopwatch.GetTimestamp();
    }

    public void Add(int bytes) => Interlocked.Add(ref _bytes, bytes);

    public void AddOne(int bytes)
    {
        _ = Interlocked.Increment(ref _count);
        Add(bytes);
    }

    /// <summary>Waits for the end and takes stock.</summary>
    public async Task EndAsync()
    {
        await Task.Delay(length);
        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        double processor = (Environment.CpuUsage.TotalTime - _processor).TotalSeconds;
        long allocated = GC.GetTotalAllocatedBytes(precise: false) - _allocated;
        Result = FormattableString.Invariant(
            $"{Interlocked.Read(ref _bytes)} {Interlocked.Read(ref _count)} {seconds:R} {processor:R} {allocated}");
        _isOver = true;
    }
}
