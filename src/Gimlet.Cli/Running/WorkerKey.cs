using Gimlet.Cli.Options;
using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>
/// The key of a worker. One with a name of its own keeps its key: the rendezvous holds the name for the key that has proven it, and a worker that comes back with
/// another one waits for minutes. One with a random name needs none that is kept.
/// </summary>
internal static class WorkerKey
{
    /// <summary>Reads or makes it.</summary>
    /// <param name="settings">What the line says.</param>
    /// <param name="plan">The worker.</param>
    /// <param name="context">The command.</param>
    /// <exception cref="GimletException">A key file was named that cannot be used.</exception>
    public static NodeIdentity Read(KeySettings settings, WorkerPlan plan, CommandContext context)
    {
        KeyFile? file = settings.File(context.Parse);
        if (file is null || settings.IsNamed(context.Parse))
        {
            return file?.LoadOrCreate() ?? NodeIdentity.Create();
        }

        if (!plan.HasName)
        {
            return NodeIdentity.Create();
        }

        try
        {
            return new KeyFile(PathOf(plan.Options.WorkerId)).LoadOrCreate();
        }
        catch (GimletException e) when (e.InnerException is IOException or UnauthorizedAccessException)
        {
            // A container's root is often read-only. The worker works; only its next run is not known by this key.
            context.Reporter.Report(new WarningEvent($"This worker has a key for this run only: {e.Message}"));
            return NodeIdentity.Create();
        }
    }

    // Beside the user's own key, and one for each name: two workers of one user are two peers. Names may have a colon, which is no letter of a file's name everywhere.
    private static string PathOf(string workerId) =>
        Path.Combine(Path.GetDirectoryName(KeyFile.DefaultPath)!, "workers", workerId.Replace(":", "%3A", StringComparison.Ordinal) + ".pem");
}
