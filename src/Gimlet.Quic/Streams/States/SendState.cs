namespace Gimlet.Quic.Streams.States;

/// <summary>The states of the sending part of a stream (RFC 9000 figure 2).</summary>
internal enum SendState
{
    /// <summary>Nothing was sent.</summary>
    Ready,

    /// <summary>Data was sent, or that flow control keeps it back.</summary>
    Send,

    /// <summary>All data and the FIN were sent.</summary>
    DataSent,

    /// <summary>RESET_STREAM was sent, or is about to be.</summary>
    ResetSent,

    /// <summary>All data and the FIN were acknowledged. Terminal; "Data Recvd".</summary>
    DataReceived,

    /// <summary>RESET_STREAM was acknowledged. Terminal; "Reset Recvd".</summary>
    ResetReceived,
}
