using System.Net.Security;
using Gimlet.Quic.Protection;
using Gimlet.Quic.Tls;
using Gimlet.Quic.Tls.Certificates;
using Gimlet.Quic.Tls.Keys;

namespace Gimlet.Quic.Tests.Tls.Support;

/// <summary>A client and a server with a wire between them that a test can bend.</summary>
internal sealed class TlsPair : IDisposable
{
    public static readonly byte[] ClientParameters = [0x01, 0x02, 0x43, 0xe8];
    public static readonly byte[] ServerParameters = [0x04, 0x04, 0x80, 0x10, 0x00, 0x00];

    private readonly Queue<WireMessage> _wire = [];
    private int _clientMessages;
    private int _serverMessages;

    public TlsPair(TlsClientOptions? client = null, TlsServerOptions? server = null, int seed = 1)
    {
        var random = new Random(seed);
        Client = new TlsClient(client ?? ClientOptions(), random.NextBytes);
        Server = new TlsServer(server ?? ServerOptions(), random.NextBytes);
    }

    public TlsClient Client { get; }

    public TlsServer Server { get; }

    public List<TlsEvent> ClientEvents { get; } = [];

    public List<TlsEvent> ServerEvents { get; } = [];

    /// <summary>Every message as it was sent, before <see cref="Bend"/>.</summary>
    public List<WireMessage> Sent { get; } = [];

    /// <summary>What arrives instead of a message: nothing, one or several; null leaves all as it is.</summary>
    public Func<WireMessage, IEnumerable<byte[]>>? Bend { get; set; }

    /// <summary>How the arriving bytes are cut; null delivers message by message.</summary>
    public Func<byte[], IEnumerable<ReadOnlyMemory<byte>>>? Cut { get; set; }

    public bool BothComplete => Client.IsComplete && Server.IsComplete;

    public TlsError? AnyError => Client.Error ?? Server.Error;

    public static TlsClientOptions ClientOptions(TlsIdentity? identity = null) => new()
    {
        ApplicationProtocols = [new SslApplicationProtocol("gimlet")],
        TransportParameters = ClientParameters,
        DecideCertificate = _ => CertificateVerdict.Accept,
        Identity = identity ?? Identities.P256(),
        Curves = ProtectionSelection.Select(ProtectionChoice.Automatic).Provider.Curves,
        ServerName = "peer.example",
    };

    public static TlsServerOptions ServerOptions(TlsIdentity? identity = null) => new()
    {
        ApplicationProtocols = [new SslApplicationProtocol("gimlet")],
        TransportParameters = ServerParameters,
        DecideCertificate = _ => CertificateVerdict.Accept,
        Identity = identity ?? Identities.P256(),
        Curves = ProtectionSelection.Select(ProtectionChoice.Automatic).Provider.Curves,
    };

    /// <summary>Starts the client and carries messages until nobody has anything to say.</summary>
    public TlsPair Run()
    {
        Client.Start();
        Drain();
        while (_wire.TryDequeue(out WireMessage? message))
        {
            foreach (byte[] bytes in Bend?.Invoke(message) ?? [message.Bytes])
            {
                Deliver(message, bytes);
            }
        }

        return this;
    }

    /// <summary>The secret of one side, which must be there exactly once.</summary>
    public static byte[] Secret(List<TlsEvent> events, EncryptionLevel level, SecretDirection direction) =>
        events.Single(e => e.Secret is { } secret && secret.Level == level && secret.Direction == direction).Secret!.Bytes.ToArray();

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        foreach (TlsEvent e in ClientEvents.Concat(ServerEvents))
        {
            e.Secret?.Dispose();
        }
    }

    private void Deliver(WireMessage message, byte[] bytes)
    {
        foreach (ReadOnlyMemory<byte> piece in Cut?.Invoke(bytes) ?? [bytes])
        {
            if (message.FromClient)
            {
                Server.Handle(message.Level, piece.Span);
            }
            else
            {
                Client.Handle(message.Level, piece.Span);
            }

            Drain();
        }
    }

    private void Drain()
    {
        while (Client.TryPoll(out TlsEvent e))
        {
            ClientEvents.Add(e);
            Put(e, fromClient: true, ref _clientMessages);
        }

        while (Server.TryPoll(out TlsEvent e))
        {
            ServerEvents.Add(e);
            Put(e, fromClient: false, ref _serverMessages);
        }
    }

    private void Put(TlsEvent e, bool fromClient, ref int count)
    {
        if (e.Kind != TlsEventKind.Send)
        {
            return;
        }

        foreach (byte[] bytes in WireMessage.Split(e.Data))
        {
            var message = new WireMessage(fromClient, e.Level, count++, bytes);
            Sent.Add(message);
            _wire.Enqueue(message);
        }
    }
}
