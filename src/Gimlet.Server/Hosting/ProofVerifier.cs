using Gimlet.Server.Rendezvous;
using Gimlet.Sockets;
using Gimlet.Stun.Server;

namespace Gimlet.Server.Hosting;

/// <summary>Reads back the proofs that this server's STUN wrote, with the key they share and the wall clock.</summary>
internal sealed class ProofVerifier(byte[] key, TimeProvider time) : IObservationVerifier
{
    public bool IsProven(TransportAddress address, ReadOnlySpan<byte> proof, TimeSpan now) =>
        ObservationProof.TryVerify(proof, address, key, time.GetUtcNow());
}
