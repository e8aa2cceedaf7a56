using Gimlet.NatLab.Wire;

// The user-space wire of the NAT lab: one process per lab, driven by commands on standard input (see WireSet), gone when that input ends.
// The main thread is the loop: it may enter namespaces, no other work runs on it.
unsafe
{
    // Without this the kernel may wake the thread 50 us late on every hop.
    _ = Kernel.ProcessControl(Kernel.SetTimerSlack, 1);
    // Ahead of ordinary processes: a wire that waits for a compiler would be a jittery wire. Where the kernel refuses, it is only less exact.
    var priority = 1;
    _ = Kernel.SetScheduler(0, Kernel.SchedulerFifo | Kernel.SchedulerResetOnFork, &priority);
}

using var loop = new WireLoop();
loop.Run();
