using Gimlet.Cli.Options;

namespace Gimlet.Cli.Running.Stages;

/// <summary>What a worker's peer talks with, for one peer.</summary>
internal interface IStageEnd : IPipeEnd, IAsyncDisposable
{
    /// <summary>Both directions are over; waits for what is left to do, and says whether it went well.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="GimletException">It did not.</exception>
    Task FinishAsync(CancellationToken cancellationToken);
}

/// <summary>Makes the end that a line asks for.</summary>
internal static class StageEnd
{
    /// <summary>Opens it.</summary>
    /// <param name="plan">What the line says.</param>
    /// <param name="cancellationToken">Ends the wait for a file that is a named pipe.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.LocalFault"/>: a file cannot be opened, or the command cannot be started.</exception>
    public static async Task<IStageEnd> OpenAsync(StagePlan plan, CancellationToken cancellationToken) =>
        plan.Command is { } command ? CommandEnd.Start(command) : await FilesEnd.OpenAsync(plan, cancellationToken).ConfigureAwait(false);
}
