using System.Buffers.Binary;
using System.Security.Cryptography;
using Gimlet.NatLab.Cells;
using Gimlet.NatLab.Lab;

namespace Gimlet.NatLab.Workers;

/// <summary>
/// The output of a command that a worker runs, written by the test part by part: the command is <c>cat</c> of a named pipe. A part is written when the worker has
/// taken it, so what happens between two parts happens in the middle of the transfer on any machine.
/// </summary>
internal sealed class CommandOutput : IDisposable
{
    private const int BlockLength = 64 * 1024;
    private const int Seed = 5;

    private readonly FileStream _pipe;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _block = new byte[BlockLength];

    private CommandOutput(string path)
    {
        Command = $"cat '{path}'";
        // Open for both: opening a named pipe for one end waits for the other.
        _pipe = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        // The same bytes in each run, so that a failure can be had again.
#pragma warning disable CA5394 // bytes to be compared, not a secret
        new Random(Seed).NextBytes(_block);
#pragma warning restore CA5394
    }

    /// <summary>What the worker runs.</summary>
    internal string Command { get; }

    /// <summary>How much was written.</summary>
    internal long Count { get; private set; }

    internal static async Task<CommandOutput> CreateAsync(string folder, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, "output");
        _ = await Lab.Command.RunAsync("mkfifo", [path], "", cancellation);
        return new CommandOutput(path);
    }

    /// <summary>Writes until <paramref name="count"/> bytes have been written in all.</summary>
    internal async Task WriteUntilAsync(long count, GimletProcess worker)
    {
        while (Math.Min(BlockLength, count - Count) is > 0 and var length)
        {
            // The position makes each block another one: bytes at the wrong place change the hash.
            BinaryPrimitives.WriteInt64LittleEndian(_block, Count);
            _hash.AppendData(_block, 0, (int)length);
            try
            {
                await _pipe.WriteAsync(_block.AsMemory(0, (int)length), CancellationToken.None).AsTask().WaitAsync(GimletProcess.Deadline);
            }
            catch (TimeoutException)
            {
                throw worker.Failure($"nothing of its command's output was taken for {GimletProcess.Deadline.TotalSeconds} s, after {Count} bytes");
            }

            Count += length;
        }
    }

    /// <summary>The command ends when it has read everything.</summary>
    /// <returns>The hash of what was written.</returns>
    internal byte[] End()
    {
        _pipe.Dispose();
        return _hash.GetHashAndReset();
    }

    public void Dispose()
    {
        _pipe.Dispose();
        _hash.Dispose();
    }
}
