namespace Gimlet.Quic.Streams.States;

/// <summary>The states of the receiving part of a stream (RFC 9000 figure 3).</summary>
internal enum ReceiveState
{
    /// <summary>Data comes; its end is not known. "Recv".</summary>
    Receive,

    /// <summary>The final size is known; data is missing.</summary>
    SizeKnown,

    /// <summary>All data came; the application has not read all of it. "Data Recvd".</summary>
    DataReceived,

    /// <summary>RESET_STREAM came; the application does not know of it. "Reset Recvd".</summary>
    ResetReceived,

    /// <summary>The application has read all data, or did not want it. Terminal.</summary>
    DataRead,

    /// <summary>The application knows of the reset. Terminal.</summary>
    ResetRead,
}
