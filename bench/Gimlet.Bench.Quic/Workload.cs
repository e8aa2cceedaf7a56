namespace Gimlet.Bench.Quic;

/// <summary>What is measured.</summary>
internal enum Workload
{
    /// <summary>One stream from the server to the client.</summary>
    Stream,

    /// <summary>A hundred of them on one connection (SslStream: a hundred connections).</summary>
    Streams,

    /// <summary>Unreliable datagrams from the server to the client; what arrives counts.</summary>
    Datagrams,

    /// <summary>Full handshakes in which both sides prove their key, each followed by one byte of answer.</summary>
    Handshakes,
}
