using Gimlet.Bench.Common;
using Gimlet.Bench.Stun;

// One executable, three roles: the comparison starts itself again as the server and as the load generator, each pinned
// to its own core, so that neither runs on the other's time.
return args switch
{
    ["--role-serve", .. var rest] => ServerRole.Run(rest),
    ["--role-load", .. var rest] => LoadRole.Run(rest),
    _ => BenchProgram.Run(args, BenchOptions.Usage, BenchOptions.Parse, Comparison.Run),
};
