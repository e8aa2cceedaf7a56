using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Client;

namespace Gimlet.Stun.Discovery;

/// <summary>Which of the two local sockets a probe leaves from and is answered to.</summary>
public enum ProbeSocket
{
    /// <summary>The socket whose mapping is of interest: the node's own.</summary>
    Mapping = 0,

    /// <summary>
    /// A socket made for this test alone: it must never have sent to a server's other addresses, or the filter would be open already.
    /// </summary>
    Filtering = 1,
}

/// <summary>One question of the classifier and what became of it.</summary>
internal sealed class Probe(ProbeSocket socket, StunTransaction transaction)
{
    public ProbeSocket Socket { get; } = socket;

    public StunTransaction Transaction { get; } = transaction;

    public TransportAddress Server => Transaction.Destination;

    public ChangeRequest Change => Transaction.Change;

    public bool IsOpen { get; private set; } = true;

    /// <summary>True when any response came: UDP goes out and comes back.</summary>
    public bool WasHeard { get; set; }

    public TransportAddress Mapped { get; private set; }

    public TransportAddress Origin { get; private set; }

    public TransportAddress Other { get; private set; }

    public TimeSpan RoundTrip { get; private set; }

    public ChangeOutcome Outcome { get; set; }

    public void Answer(StunMessage response, TimeSpan roundTrip)
    {
        _ = StunAnswerReader.TryGetMapped(response, out TransportAddress mapped);
        Mapped = mapped;
        Origin = StunAnswerReader.Origin(response);
        Other = StunAnswerReader.OtherAddress(response);
        RoundTrip = roundTrip;
        Hear();
    }

    public void Hear()
    {
        WasHeard = true;
        Close();
    }

    public void Close() => IsOpen = false;
}
