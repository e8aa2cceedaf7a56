namespace Gimlet.Server;

/// <summary>What one worker, one address and all workers together may ask of the rendezvous.</summary>
public sealed record WorkerLimits
{
    // A proof with its names is 300 bytes; less than this and no worker could say what it is.
    private const int LeastMessageBytes = 1024;

    // What is read of a message is held in memory until its end, by each worker; the buffers for it, which nodes use as well, have at most this.
    private const int MostMessageBytes = 64 * 1024;

    /// <summary>Bytes of one message; 16 KiB. Only an echo's payload is ever longer than 300 bytes.</summary>
    public int MessageBytes { get; init; } = 16 * 1024;

    /// <summary>Messages per second and worker, sustained; 20. A worker says a handful when it comes and one when its address changes.</summary>
    public int MessagesPerSecond { get; init; } = 20;

    /// <summary>Messages that a worker may send at once after a quiet time; 100.</summary>
    public int MessageBurst { get; init; } = 100;

    /// <summary>
    /// Pairings per minute that a worker may end, by saying so or by coming back as a new process; 60. Each can mean an offer for somebody else, who then sends
    /// datagrams to the address in it, so it must not be as cheap as a message.
    /// </summary>
    public int PairingsPerMinute { get; init; } = 60;

    /// <summary>Connected workers in all; 20,000.</summary>
    public int Workers { get; init; } = 20_000;

    /// <summary>Connected workers per IPv4 address or IPv6 /64; 256: a cloud NAT has many workers behind one address.</summary>
    public int WorkersPerAddress { get; init; } = 256;

    /// <summary>
    /// Workers that left and are still known, in all; 20,000, about 10 MB. Per address it is <see cref="WorkersPerAddress"/>, so that who comes and goes under many names
    /// pushes out only its own. The oldest go first.
    /// </summary>
    public int DepartedWorkers { get; init; } = 20_000;

    /// <summary>How long a worker that left is known: its pairing, and the hold of its peer id on its name; ten minutes, longer than any restart or network change takes.</summary>
    public TimeSpan DepartedLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A worker that was silent this long is pinged; 15 s: timeouts of proxies and NATs on TCP start at 30 s in the field, and this leaves room for one lost ping.</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A worker that was silent this long is gone; 45 s: two pings, at 15 s and 30 s, stayed without an answer.</summary>
    public TimeSpan DropAfter { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Who comes for a worker id that a peer id holds has this long to prove that peer id; 10 s, as long as a node has for its registration.</summary>
    public TimeSpan ProofTimeout { get; init; } = TimeSpan.FromSeconds(10);

    internal string? FindProblem()
    {
        foreach ((string name, int value) in new[]
        {
            (nameof(MessagesPerSecond), MessagesPerSecond),
            (nameof(MessageBurst), MessageBurst),
            (nameof(PairingsPerMinute), PairingsPerMinute),
            (nameof(Workers), Workers),
            (nameof(WorkersPerAddress), WorkersPerAddress),
            (nameof(DepartedWorkers), DepartedWorkers),
        })
        {
            if (value < 1)
            {
                return $"Limits.{name} of the workers is {value}; it must be at least 1.";
            }
        }

        foreach ((string name, TimeSpan value) in new[]
        {
            (nameof(DepartedLifetime), DepartedLifetime),
            (nameof(PingAfter), PingAfter),
            (nameof(DropAfter), DropAfter),
            (nameof(ProofTimeout), ProofTimeout),
        })
        {
            if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1))
            {
                return $"Limits.{name} of the workers is {value}; it must be more than zero and at most a day.";
            }
        }

        if (DropAfter <= PingAfter)
        {
            return $"Limits.DropAfter of the workers ({DropAfter}) must be longer than Limits.PingAfter ({PingAfter}), or no worker could answer in time.";
        }

        return MessageBytes is < LeastMessageBytes or > MostMessageBytes
            ? $"Limits.MessageBytes of the workers is {MessageBytes}; it must be from {LeastMessageBytes} to {MostMessageBytes}."
            : null;
    }
}
