using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Gimlet.NatLab.Wire;

/// <summary>
/// All wires of a lab on one thread: reads packets from TUN devices, holds each until it is due, writes it to the other end.
/// The loop allocates nothing per packet; commands on standard input may.
/// </summary>
internal sealed unsafe class WireLoop : IDisposable
{
    // 16,384 packets of 1,500 bytes are 500 Mbit/s for 390 ms: more than any lab here holds under way.
    private const int PacketsUnderWay = 16_384;
    // Enough to empty a burst in one go, few enough that due packets of other wires are not held up by more than 0.1 ms.
    private const int ReadsPerTurn = 32;
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const int StandardInput = 0;

    private readonly PacketQueue _queue = new(PacketsUnderWay);
    private readonly List<WirePort> _ports = [];
    private readonly WireSet _wires;
    private readonly CommandInput _commands;
    private Kernel.PollDescriptor[] _poll = [new() { Descriptor = StandardInput, Wanted = Kernel.PollIn }];

    internal WireLoop()
    {
        _wires = new WireSet(Watch);
        _commands = new CommandInput(StandardInput, _wires);
    }

    private static long Now => Stopwatch.GetTimestamp(); // nanoseconds: Linux, CLOCK_MONOTONIC

    /// <summary>Runs until standard input ends: the lab that started this process is gone, or done.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Run()
    {
        Debug.Assert(Stopwatch.Frequency == NanosecondsPerSecond, "a tick of the stopwatch is a nanosecond on Linux");
        while (true)
        {
            WriteWhatIsDue();
            Wait();
            for (var index = 0; index < _ports.Count; index++)
            {
                if ((_poll[index + 1].Happened & Kernel.PollIn) != 0)
                {
                    ReadFrom(_ports[index]);
                }
            }

            if ((_poll[0].Happened & (Kernel.PollIn | Kernel.PollHangUp | Kernel.PollError)) != 0 && !_commands.Read())
            {
                return;
            }
        }
    }

    public void Dispose()
    {
        _wires.Dispose();
        _queue.Dispose();
    }

    private void Watch(WirePort port)
    {
        _ports.Add(port);
        _poll = [.. _poll, new Kernel.PollDescriptor { Descriptor = port.Descriptor, Wanted = Kernel.PollIn }];
    }

    private void Wait()
    {
        var timeout = default(Kernel.TimeSpec);
        if (_queue.Count > 0)
        {
            var nanoseconds = Math.Max(0, _queue.NextDue - Now);
            timeout.Seconds = nanoseconds / NanosecondsPerSecond;
            timeout.Nanoseconds = nanoseconds % NanosecondsPerSecond;
        }

        fixed (Kernel.PollDescriptor* descriptors = _poll)
        {
            var happened = Kernel.Poll(descriptors, (nuint)_poll.Length, _queue.Count > 0 ? &timeout : null, null);
            if (happened < 0)
            {
                if (Marshal.GetLastPInvokeError() != Kernel.ErrorInterrupted)
                {
                    throw Kernel.Failure("ppoll");
                }

                // On EINTR the kernel leaves revents as they were: they must not be read as news.
                foreach (ref var descriptor in _poll.AsSpan())
                {
                    descriptor.Happened = 0;
                }
            }
        }
    }

    private void ReadFrom(WirePort port)
    {
        for (var reads = 0; reads < ReadsPerTurn; reads++)
        {
            var hasRoom = _queue.TryRent(out var slot);
            var length = (int)Kernel.Read(port.Descriptor, _queue.Memory(slot), PacketQueue.SlotBytes);
            if (length <= 0)
            {
                // EAGAIN: drained. Anything else: the device went down with its namespace; poll reports no more input for it.
                _queue.Release(slot);
                return;
            }

            if (!hasRoom)
            {
                port.Impairment.CountOverflow();
            }
            else if (port.Impairment.Admit(Now, length) is >= 0 and var due)
            {
                _queue.Add(due, slot, length, port.FarDescriptor);
                continue;
            }

            _queue.Release(slot);
        }
    }

    private void WriteWhatIsDue()
    {
        while (_queue.Count > 0 && _queue.NextDue <= Now)
        {
            var packet = _queue.Take();
            // A refusal (device down, its namespace gone) is what a cut cable does: the packet is lost.
            _ = Kernel.Write(packet.Descriptor, _queue.Memory(packet.Slot), (nuint)packet.Length);
            _queue.Release(packet.Slot);
        }
    }
}
