using Gimlet.NatLab.Cells;

namespace Gimlet.NatLab.Workers;

/// <summary>The file that a receiving worker writes, watched while it grows.</summary>
internal sealed class GrowingFile : IDisposable
{
    private readonly FileSystemWatcher _watcher;
    private readonly string _part;
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal GrowingFile(string folder)
    {
        Path = System.IO.Path.Combine(folder, "received");
        // docs/workers.md: written beside its name until the receipt is out.
        _part = Path + ".part";
        _watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.Size | NotifyFilters.FileName };
        _watcher.Changed += (_, _) => Wake();
        _watcher.Created += (_, _) => Wake();
        _watcher.Renamed += (_, _) => Wake();
        // Some changes were not told: it has changed, in any case.
        _watcher.Error += (_, _) => Wake();
        _watcher.EnableRaisingEvents = true;
    }

    /// <summary>Where the bytes are in the end.</summary>
    internal string Path { get; }

    private long Length => new FileInfo(_part) is { Exists: true } part ? part.Length : new FileInfo(Path) is { Exists: true } whole ? whole.Length : 0;

    /// <summary>Waits until so many bytes are in the file.</summary>
    internal async Task ReachAsync(long length, GimletProcess worker)
    {
        while (true)
        {
            var news = Volatile.Read(ref _news).Task;
            if (Length >= length)
            {
                return;
            }

            try
            {
                await news.WaitAsync(GimletProcess.Deadline);
            }
            catch (TimeoutException)
            {
                throw worker.Failure($"{Length} bytes are in its file, none more for {GimletProcess.Deadline.TotalSeconds} s, and {length} were waited for");
            }
        }
    }

    public void Dispose() => _watcher.Dispose();

    private void Wake() => Interlocked.Exchange(ref _news, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
}
