using System.Diagnostics;
using System.Security.Cryptography;
using Gimlet.NatLab.Cells;

namespace Gimlet.NatLab.Transfers;

/// <summary>What comes out of a receiving <c>gimlet pipe</c>: how much, when, and its hash. Reads as fast as it comes.</summary>
internal sealed class ReceivedBytes : IDisposable
{
    // Twice a pipe of Linux.
    private const int BufferLength = 128 * 1024;

    private readonly Lock _lock = new();
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<(long From, long To)> _pauses = [];
    private long _count;
    private long _lastAt;
    private (long Wanted, TaskCompletionSource Reached)? _mark;

    /// <summary>Begins to read.</summary>
    internal ReceivedBytes(Stream source) => Ended = ReadAsync(source);

    /// <summary>Completes with the hash when the stream has ended.</summary>
    internal Task<byte[]> Ended { get; }

    internal long Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Waits for so many bytes in all. One wait at a time.</summary>
    /// <exception cref="TimeoutException">They did not come in time.</exception>
    internal async Task ReachAsync(long count)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_count >= count)
            {
                return;
            }

            _mark = (count, reached);
        }

        _ = await Task.WhenAny(reached.Task, Ended).WaitAsync(GimletProcess.Deadline);
        if (!reached.Task.IsCompleted)
        {
            throw new EndOfStreamException($"the transfer ended after {Count} bytes, before {count} had come");
        }
    }

    /// <summary>The longest time without a byte that ended after <paramref name="since"/>.</summary>
    internal TimeSpan LongestPause(long since)
    {
        lock (_lock)
        {
            return _pauses.Where(pause => pause.To >= since)
                .Select(pause => Stopwatch.GetElapsedTime(pause.From, pause.To)).DefaultIfEmpty().Max();
        }
    }

    public void Dispose() => _hash.Dispose();

    private async Task<byte[]> ReadAsync(Stream source)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(BufferLength);
        while (await source.ReadAsync(buffer, CancellationToken.None) is > 0 and var length)
        {
            var now = Stopwatch.GetTimestamp();
            TaskCompletionSource? reached = null;
            lock (_lock)
            {
                if (_lastAt != 0 && now - _lastAt > ShortestPause)
                {
                    _pauses.Add((_lastAt, now));
                }

                _lastAt = now;
                _count += length;
                if (_mark is { } mark && _count >= mark.Wanted)
                {
                    (reached, _mark) = (mark.Reached, null);
                }
            }

            reached?.SetResult();
            _hash.AppendData(buffer, 0, length);
        }

        return _hash.GetHashAndReset();
    }

    // What is kept: nobody calls 5 ms a pause, and a transfer has thousands of them.
    private static readonly long ShortestPause = Stopwatch.Frequency / 200;
}
