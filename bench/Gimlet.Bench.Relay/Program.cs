using Gimlet.Bench.Common;
using Gimlet.Bench.Relay;

// One executable, several roles: the comparison starts itself again as the server and as the load generator, each pinned
// to its own core, so that neither runs on the other's time.
return args switch
{
    ["--role-serve", .. var rest] => ServerRole.Run(rest),
    ["--role-relay", .. var rest] => RelayLoad.Run(rest),
    ["--role-turn", .. var rest] => TurnLoad.Run(rest),
    ["--role-pairs", .. var rest] => PairsRole.Run(rest),
    _ => BenchProgram.Run(args, BenchOptions.Usage, BenchOptions.Parse, Comparison.Run),
};
