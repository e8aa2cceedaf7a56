using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;

namespace Gimlet.Stun.Discovery;

/// <summary>
/// Two sockets behind the NAT send to each other's outside address (RFC 4787 section 6). Both send, so that filtering does not hide
/// a NAT that hairpins;
/// what arrives is recognised by its transaction id.
/// </summary>
internal sealed class HairpinTest(NatClassifierOptions options, Action<Span<byte>> random)
{
    // A datagram may be lost, and the first may meet a filter that the other side's first opens.
    private const int Sends = 3;

    private readonly List<Probe> _probes = [];
    private bool _arrived;

    public IReadOnlyList<Probe> Probes => _probes;

    public bool HasStarted => _probes.Count > 0;

    public bool IsRunning => HasStarted && Result is null;

    public bool? Result { get; private set; }

    public void Start(TimeSpan now, TransportAddress mapping, TransportAddress filtering, TimeSpan deadline)
    {
        TimeSpan end = now + options.HairpinWait;
        end = end < deadline ? end : deadline;
        StunQueryOptions sends = options.Probe with { MaxSends = Sends, RequestProof = false };
        _probes.Add(new Probe(ProbeSocket.Mapping, new StunTransaction(now, end, filtering, ChangeRequest.None, sends, random)));
        _probes.Add(new Probe(ProbeSocket.Filtering, new StunTransaction(now, end, mapping, ChangeRequest.None, sends, random)));
    }

    /// <summary>True when the request is one of ours that came back to the other socket.</summary>
    public bool HandleRequest(ProbeSocket socket, StunTransactionId id)
    {
        if (!_probes.Exists(probe => probe.Socket != socket && probe.Transaction.Matches(id, out _)))
        {
            return false;
        }

        _arrived = true;
        _probes.ForEach(static probe => probe.Close());
        Conclude();
        return true;
    }

    public void Conclude()
    {
        if (HasStarted && _probes.TrueForAll(static probe => !probe.IsOpen))
        {
            Result = _arrived;
        }
    }
}
