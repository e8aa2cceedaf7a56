namespace Gimlet.Bench.Quic.Roles;

/// <summary>The first byte of a stream: what the client wants on it.</summary>
internal enum Command : byte
{
    /// <summary>Bytes, until the client has enough.</summary>
    Bytes = 1,

    /// <summary>Datagrams, until the client aborts the stream.</summary>
    Datagrams = 2,

    /// <summary>One byte.</summary>
    OneByte = 3,
}
