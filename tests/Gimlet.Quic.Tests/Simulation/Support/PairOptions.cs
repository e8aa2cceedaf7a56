using Gimlet.Quic.Connections;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tls;

namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>What a story begins with.</summary>
internal sealed record PairOptions
{
    public ConnectionSettings Client { get; init; } = Settings();

    public ConnectionSettings Server { get; init; } = Settings();

    public TlsClientOptions ClientTls { get; init; } = SimulatedIdentities.ClientOptions();

    public TlsServerOptions ServerTls { get; init; } = SimulatedIdentities.ServerOptions();

    /// <summary>Whether the server asks for a token first.</summary>
    public bool Retry { get; init; }

    /// <summary>The client's token of a former connection.</summary>
    public ReadOnlyMemory<byte> Token { get; init; }

    /// <summary>Whether every packet is opened on the wire, so that <see cref="Pair.Tap"/> knows their frames.</summary>
    public bool Tapped { get; init; }

    /// <summary>The defaults.</summary>
    public static ConnectionSettings Settings() =>
        new() { Protection = ProtectionSelection.Select(ProtectionChoice.Automatic).Provider };

    /// <summary>Changes both sides' settings.</summary>
    public PairOptions With(Func<ConnectionSettings, ConnectionSettings> change) =>
        this with { Client = change(Client), Server = change(Server) };
}
