using System.Diagnostics;
using Gimlet.Cli.Output;

namespace Gimlet.Cli.Running;

/// <summary>Dials, and measures from the moment when the dial starts.</summary>
internal static class Dialer
{
    /// <summary>Dials.</summary>
    /// <param name="dial">Starts the dial; is given what to call with the id of the call, and what ends it.</param>
    /// <param name="dialing">Makes the event of the dial's start; null to tell none.</param>
    /// <param name="timeout">How long it may take; null for as long as the library thinks right.</param>
    /// <param name="context">The command.</param>
    /// <exception cref="GimletException">There is no connection, and why.</exception>
    public static async Task<Dialled> DialAsync(
        Func<Action<CallId>, CancellationToken, Task<GimletConnection>> dial, Func<CallId, DialingEvent>? dialing, TimeSpan? timeout, CommandContext context)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(context.Interrupted);
        if (timeout is { } limit)
        {
            bound.CancelAfter(limit);
        }

        CallId call = default;
        long started = Stopwatch.GetTimestamp();

        // The callback runs before the first datagram leaves: it only notes the id, and the event is written while the dial is under way.
        Task<GimletConnection> connecting = dial(id => call = id, bound.Token);
        if (dialing is not null)
        {
            context.Reporter.Report(dialing(call) with { At = started });
        }

        try
        {
            return new Dialled(await connecting.ConfigureAwait(false), started);
        }
        catch (OperationCanceledException) when (!context.Interrupted.IsCancellationRequested)
        {
            throw new GimletException(GimletErrorKind.TimedOut, $"There was no connection within {timeout!.Value.TotalSeconds:0.###} s.");
        }
    }
}

/// <summary>A connection and when its dial started.</summary>
/// <param name="Connection">The connection.</param>
/// <param name="Started">The time stamp of the stopwatch.</param>
internal sealed record Dialled(GimletConnection Connection, long Started)
{
    /// <summary>Since the dial started.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(Started);
}
