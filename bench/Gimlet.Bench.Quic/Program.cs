using Gimlet.Bench.Common;
using Gimlet.Bench.Quic;
using Gimlet.Bench.Quic.Comparing;
using Gimlet.Bench.Quic.Roles;

// One executable, several roles: the comparison starts itself again as server and as client, so that every contestant is two processes.
return args switch
{
    ["--role-server", .. var rest] => await ServerRole.RunAsync(rest),
    ["--role-client", .. var rest] => await ClientRole.RunAsync(rest),
    _ => BenchProgram.Run(args, BenchOptions.Usage, BenchOptions.Parse, Bench.Run),
};
