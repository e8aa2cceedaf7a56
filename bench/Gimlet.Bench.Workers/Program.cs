using Gimlet.Bench.Workers;

// One executable, two roles: the measurement is the workers' side, and starts itself again as the server.
return args switch
{
    ["--role-serve", .. var rest] => await ServerRole.RunAsync(rest).ConfigureAwait(false),
    _ => await Measurement.RunAsync(args).ConfigureAwait(false),
};
