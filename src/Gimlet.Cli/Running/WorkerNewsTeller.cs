using Gimlet.Cli.Output;
using Gimlet.Worker;

namespace Gimlet.Cli.Running;

/// <summary>The news of a worker as events.</summary>
internal static class WorkerNewsTeller
{
    /// <summary>Tells the news of a worker from its beginning on.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="reporter">Where to.</param>
    public static void Tell(GimletWorker worker, IReporter reporter) => worker.News += news => reporter.Report(
        news is WorkerTrouble trouble && worker.Ended.Exception?.InnerException == trouble.Problem

            // The command itself ends with this error, when its peer has gone.
            ? new WarningEvent(trouble.Problem.Message)
            : Translate(news));

    private static CliEvent Translate(WorkerNews news) => news switch
    {
        WorkerRegistered registered => new RegisteredEvent(registered.WorkerId, registered.Rendezvous.OriginalString, registered.PeerId?.ToString()),
        WorkerEndpoint endpoint => new EndpointEvent(endpoint.Address.Address.ToString(), Words.Of(endpoint.Address.Source), endpoint.Address.Explanation),
        WorkerStunFailed failed => new StunFailedEvent(failed.Server, Words.Of(failed.Outcome), failed.Detail),
        WorkerOffered offered => new OfferEvent(offered.PeerWorkerId, offered.PeerId?.ToString()),
        RendezvousLost lost => new RendezvousLostEvent(lost.Reason, Words.Milliseconds(lost.RetryIn)),
        WorkerTrouble trouble => new ErrorEvent(trouble.Problem.Kind.ToKindString(), trouble.Problem.Message, trouble.Problem.Hint),
        _ => new WarningEvent(news.ToString()),
    };
}
