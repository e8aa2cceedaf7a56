namespace Gimlet.Quic;

/// <summary>What became of a datagram that was given to <see cref="QuicConnection.SendDatagram"/>.</summary>
public enum QuicDatagramSendResult
{
    /// <summary>It is sent as soon as congestion control permits; it may be lost like any datagram.</summary>
    Queued,

    /// <summary>Too many wait already; it was not taken.</summary>
    QueueFull,

    /// <summary>It is longer than <see cref="QuicConnection.MaxDatagramSize"/> now.</summary>
    TooLarge,

    /// <summary>The peer does not take datagrams.</summary>
    NotSupported,
}
