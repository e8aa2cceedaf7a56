using Gimlet.Quic.Connections;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>
/// What a <see cref="Network"/> joins. After every input the network calls <see cref="Work"/>, then <see cref="TryPollTransmit"/> until it is
/// false, then reads <see cref="NextTimeout"/>.
/// </summary>
internal interface ISimulatedNode
{
    /// <summary>When <see cref="HandleTimeout"/> is wanted, or null.</summary>
    TimeSpan? NextTimeout { get; }

    /// <summary>Takes a datagram; it may be changed.</summary>
    void HandleDatagram(TimeSpan now, PathId path, EcnCodepoint ecn, Span<byte> datagram);

    /// <summary>Does what is due.</summary>
    void HandleTimeout(TimeSpan now);

    /// <summary>Takes events, lets the application act.</summary>
    void Work(TimeSpan now);

    /// <summary>Gives datagrams.</summary>
    bool TryPollTransmit(TimeSpan now, Span<byte> buffer, int maxDatagrams, out Transmit transmit);
}
