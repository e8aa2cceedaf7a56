using Gimlet.Sockets;

namespace Gimlet.Server.Rendezvous;

/// <summary>Says whether this server's own STUN really saw an address (GIMLET-PROOF, docs/protocol.md section 4). Thread-safe.</summary>
internal interface IObservationVerifier
{
    /// <summary>True when the proof is genuine, fresh, and for this address.</summary>
    /// <param name="address">The candidate's address.</param>
    /// <param name="proof">What the node was given; any length.</param>
    /// <param name="now">The core's clock.</param>
    bool IsProven(TransportAddress address, ReadOnlySpan<byte> proof, TimeSpan now);
}
