namespace Gimlet.Bench.Quic.Comparing;

/// <summary>Runs what the arguments ask for.</summary>
internal static class Bench
{
    public static void Run(BenchOptions options)
    {
        using var identity = new Identity();
        if (options.Idle > 0)
        {
            IdleConnections.Run(options, identity);
            return;
        }

        Compare(options, identity);
    }

    private static void Compare(BenchOptions options, Identity identity)
    {
        var programs = new Dictionary<string, string>(StringComparer.Ordinal);
        var missing = new List<string>();
        foreach ((string name, string? given) in new[] { ("quic-go", options.QuicGo), ("quinn", options.Quinn) })
        {
            if (!options.Contestants.Contains(name))
            {
                continue;
            }

            if (PeerPrograms.Find(name, given, out string reason) is { } program)
            {
                programs.Add(name, program);
            }
            else
            {
                missing.Add($"{name} is left out: {reason}");
            }
        }

        var results = new Results(options, missing);
        foreach (Workload workload in options.Workloads)
        {
            Measure(options, identity, workload, programs, results);
            results.Print(workload);
        }

        results.PrintEnd();
    }

    private static void Measure(
        BenchOptions options, Identity identity, Workload workload, Dictionary<string, string> programs, Results results)
    {
        var contestants = new List<Contestant>();
        try
        {
            foreach (string name in options.Contestants)
            {
                if (Make(name, options, identity, workload, programs) is { } contestant)
                {
                    contestants.Add(contestant);
                }
            }

            for (int round = 0; round < options.Rounds; round++)
            {
                foreach (Contestant contestant in contestants)
                {
                    results.Add(workload, contestant.Name, contestant.Run(options.Seconds));
                }
            }
        }
        finally
        {
            contestants.ForEach(static c => c.Dispose());
        }
    }

    private static Contestant? Make(
        string name, BenchOptions options, Identity identity, Workload workload, Dictionary<string, string> programs) => name switch
        {
            "bcl" => new OwnContestant("gimlet", "bcl", options, workload, identity),
            "libcrypto" => new OwnContestant("gimlet-libcrypto", "libcrypto", options, workload, identity),
            "sslstream" => workload == Workload.Datagrams ? null : new OwnContestant(name, name, options, workload, identity),
            _ => programs.TryGetValue(name, out string? program) ? new PeerContestant(name, program, options, workload, identity) : null,
        };
}
