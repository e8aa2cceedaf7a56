using Gimlet.Sockets;

namespace Gimlet.Stun.Server.Hosting;

/// <summary>
/// A STUN server on real sockets: threads around <see cref="StunResponder"/>. Every answer leaves from the address and
/// port that was asked, except where CHANGE-REQUEST asks for another. No request allocates.
/// </summary>
public sealed class StunServer : IAsyncDisposable
{
    private readonly StunServerSockets _sockets;
    private readonly List<StunServerWorker> _workers = [];

    private StunServer(StunServerOptions options, StunServerSockets sockets)
    {
        _sockets = sockets;
        var responder = new StunResponder(sockets.Describe(options), options.ProofKey.Span, options.Time);
        foreach (DatagramSocket socket in sockets.All)
        {
            _workers.Add(new StunServerWorker(socket, sockets, responder));
        }

        EndPoints = [.. sockets.Primary.Select(s => s.LocalAddress).Distinct()];
        AlternateEndPoints = [.. sockets.Alternate.Select(s => s.LocalAddress).Distinct()];
    }

    /// <summary>Where the server listens on its main port, with the real port.</summary>
    public IReadOnlyList<TransportAddress> EndPoints { get; }

    /// <summary>Where it listens on its second port; empty for a plain server.</summary>
    public IReadOnlyList<TransportAddress> AlternateEndPoints { get; }

    /// <summary>What the server has done so far.</summary>
    public StunServerCounters Counters
    {
        get
        {
            long tooLong = _workers.Sum(w => w.TooLong);
            long faults = _workers.Sum(w => w.Faults);
            return new StunServerCounters(
                Received: Enum.GetValues<StunVerdict>().Sum(Count) + tooLong + faults,
                Answered: Count(StunVerdict.Answered),
                Refused: Count(StunVerdict.Refused),
                NotStun: Count(StunVerdict.NotStun),
                NotForUs: Count(StunVerdict.NotForUs),
                BadSource: Count(StunVerdict.BadSource),
                BadFingerprint: Count(StunVerdict.BadFingerprint),
                LegacyUnsupported: Count(StunVerdict.LegacyUnsupported),
                TooLong: tooLong + Count(StunVerdict.NoRoom),
                NotSent: _workers.Sum(w => w.NotSent),
                Faults: faults);
        }
    }

    /// <summary>The last exception behind <see cref="StunServerCounters.Faults"/>: a defect to report; null when there was none.</summary>
    public Exception? LastFault => _workers.Select(w => w.LastFault).LastOrDefault(e => e is not null);

    /// <summary>Binds all sockets and starts answering.</summary>
    /// <param name="options">Where and how.</param>
    /// <exception cref="ArgumentException">The options contradict themselves; the message names the value.</exception>
    /// <exception cref="DatagramBindException">An address or port is not available; the message names it. Nothing stays bound.</exception>
    public static StunServer Start(StunServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        StunServerSockets sockets = StunServerSockets.Bind(options);
        try
        {
            var server = new StunServer(options, sockets);
            server._workers.ForEach(worker => worker.Start());
            return server;
        }
        catch
        {
            sockets.Dispose();
            throw;
        }
    }

    /// <summary>Stops answering; completes when every thread has ended and every port is free. Safe to call twice.</summary>
    public async ValueTask DisposeAsync()
    {
        _sockets.Dispose();
        await Task.WhenAll(_workers.Select(w => w.Ended)).ConfigureAwait(false);
    }

    private long Count(StunVerdict verdict) => _workers.Sum(w => w.Count(verdict));
}
