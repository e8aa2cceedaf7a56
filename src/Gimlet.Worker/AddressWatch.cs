using Gimlet.Stun.Client;

namespace Gimlet.Worker;

/// <summary>
/// The address at which others reach a worker: what the node finds out, with what failed on the way. Where the rendezvous names no STUN server, or none of its answers,
/// a public one is asked before a local address is believed.
/// </summary>
internal sealed class AddressWatch
{
    private readonly GimletWorkerOptions _options;
    private readonly GimletNode _node;
    private readonly Action<WorkerNews> _report;
    private readonly Action<PublicAddress> _found;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, StunOutcome> _toldFailures = new(StringComparer.Ordinal);
    private PublicAddress? _told;
    private bool _askedPublic;
    private bool _awaitsPublic;

    /// <summary>Begins to watch a node.</summary>
    /// <param name="options">The worker's options.</param>
    /// <param name="node">The node.</param>
    /// <param name="report">Where news go.</param>
    /// <param name="found">Told each address that is another one.</param>
    public AddressWatch(GimletWorkerOptions options, GimletNode node, Action<WorkerNews> report, Action<PublicAddress> found)
    {
        _options = options;
        _node = node;
        _report = report;
        _found = found;
        node.PublicAddressChanged += _ => Look(hasFinished: false);
        node.GatheringFinished += () => Look(hasFinished: true);
    }

    private bool MayAskPublic => !_askedPublic && _options.StunServers.Count == 0 && _options.PublicAddress is null;

    /// <summary>Waits for the rendezvous to name its STUN servers, but not for long.</summary>
    /// <param name="stop">Ends the wait.</param>
    public async Task RunAsync(CancellationToken stop)
    {
        Look(hasFinished: _node.StunResults.Count > 0);
        try
        {
            await Task.Delay(_options.StunGrace, _options.TimeProvider, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        lock (_gate)
        {
            if (_node.StunResults.Count == 0 && MayAskPublic)
            {
                AskPublic();
            }
        }
    }

    private void Look(bool hasFinished)
    {
        lock (_gate)
        {
            IReadOnlyList<StunServerResult> results = _node.StunResults;
            foreach (StunServerResult result in results)
            {
                Note(result);
            }

            bool isAnswered = results.Any(static r => r.Outcome == StunOutcome.Answered);
            if (hasFinished && results.Count > 0)
            {
                _awaitsPublic = false;
                if (!isAnswered && MayAskPublic)
                {
                    AskPublic();
                }
            }

            PublicAddress address = _node.PublicAddress;
            if (!address.Address.IsEmpty && address != _told && !(_awaitsPublic && address.Source == PublicAddressSource.Local))
            {
                _told = address;
                _found(address);
            }
        }
    }

    // Said once, and again when it is something else: servers that do not answer are asked for ever.
    private void Note(StunServerResult result)
    {
        string server = result.Target.Server.ToString();
        if (result.Outcome == StunOutcome.Answered)
        {
            _ = _toldFailures.Remove(server);
            return;
        }

        if (!_toldFailures.TryGetValue(server, out StunOutcome told) || told != result.Outcome)
        {
            _toldFailures[server] = result.Outcome;
            _report(new WorkerStunFailed(server, result.Outcome, result.Detail));
        }
    }

    private void AskPublic()
    {
        _askedPublic = true;
        _awaitsPublic = true;
        _node.AskStun([StunServerAddress.Parse(_options.PublicStunServer)]);
    }
}
