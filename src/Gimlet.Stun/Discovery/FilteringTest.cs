using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;

namespace Gimlet.Stun.Discovery;

/// <summary>
/// Three requests from the fresh socket to one server (RFC 5780 section 4.4): a plain one, which opens the filter towards the
/// server and shows that it
/// is there; one to be answered from the other address and port; one to be answered from the other port. They go out at once: none
/// of them opens what
/// another one tests.
/// </summary>
internal sealed class FilteringTest(NatClassifierOptions options, Action<Span<byte>> random)
{
    private readonly List<Probe> _probes = [];
    private Probe? _plain;
    private Probe? _both;
    private Probe? _port;
    private bool _reported;
    private bool _settled;

    public IReadOnlyList<Probe> Probes => _probes;

    public bool HasStarted => _plain is not null;

    public bool IsRunning => HasStarted && !_settled;

    public ChangeOutcome ChangeBoth => _both?.Outcome ?? ChangeOutcome.Unknown;

    public ChangeOutcome ChangePort => _port?.Outcome ?? ChangeOutcome.Unknown;

    /// <summary>The outside address of the fresh socket; empty until known.</summary>
    public TransportAddress Mapped => _plain?.Mapped ?? default;

    /// <summary>Where the answer from the other port came from; empty until known.</summary>
    public TransportAddress OtherPort { get; private set; }

    public void Start(TimeSpan now, TransportAddress server, TimeSpan deadline)
    {
        TimeSpan end = now + options.FilteringWait;
        end = end < deadline ? end : deadline;
        _plain = Ask(now, end, server, ChangeRequest.None);
        _both = Ask(now, end, server, ChangeRequest.ChangeAddress | ChangeRequest.ChangePort);
        _port = Ask(now, end, server, ChangeRequest.ChangePort);
    }

    /// <summary>A response to one of the requests for a change.</summary>
    public void HandleChanged(Probe probe, StunMessage response, TransportAddress from)
    {
        bool changedAddress = !from.SameAddress(probe.Server);
        bool changedPort = from.Port != probe.Server.Port;
        if (from == probe.Server)
        {
            // Error 420 says that the server cannot; a success from the same address comes from a server that ignores the wish.
            probe.Outcome = ChangeOutcome.Unsupported;
            probe.Hear();
        }
        else if (response.Class == StunClass.Success
            && changedPort
            && changedAddress == probe.Change.HasFlag(ChangeRequest.ChangeAddress))
        {
            probe.Outcome = ChangeOutcome.Heard;
            probe.Hear();
            OtherPort = changedAddress ? OtherPort : from;
        }
    }

    /// <summary>Judges silence. Returns true once, when the answer from the other port has come.</summary>
    public bool Conclude()
    {
        if (_plain is null || _both is null || _port is null)
        {
            return false;
        }

        // Silence means something only if the server is there and can answer from elsewhere: OTHER-ADDRESS promises both changes;
        // RESPONSE-ORIGIN
        // alone is a server of RFC 5780, which would refuse a change of port that it cannot make.
        bool promisesBoth = !_plain.Other.IsEmpty;
        bool promisesPort = promisesBoth || !_plain.Origin.IsEmpty;
        if (!_settled && !_plain.IsOpen)
        {
            JudgeSilence(_both, promisesBoth);
            JudgeSilence(_port, promisesPort);
            _settled = IsSettled();
        }

        if (_settled)
        {
            // What is still open could not change the conclusion, and need not be repeated.
            _probes.ForEach(static probe => probe.Close());
        }

        bool first = !_reported && !OtherPort.IsEmpty;
        _reported |= first;
        return first;
    }

    private static void JudgeSilence(Probe probe, bool promised)
    {
        if (!probe.IsOpen && probe.Outcome == ChangeOutcome.Unknown)
        {
            probe.Outcome = promised ? ChangeOutcome.Silent : ChangeOutcome.Unsupported;
        }
    }

    // What a further answer could not change need not be waited for; the plain answer is needed for hairpinning too.
    private bool IsSettled() => !_plain!.IsOpen
        && (FilteringEvidence.Judge(ChangeBoth, ChangePort).IsExact || (!_both!.IsOpen && !_port!.IsOpen));

    private Probe Ask(TimeSpan now, TimeSpan end, TransportAddress server, ChangeRequest change)
    {
        var probe = new Probe(ProbeSocket.Filtering, new StunTransaction(now, end, server, change, options.Probe, random));
        _probes.Add(probe);
        return probe;
    }
}
