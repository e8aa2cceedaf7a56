using Gimlet.Cli.CommandLine;

return await GimletCommandLine.RunAsync(args).ConfigureAwait(false);
