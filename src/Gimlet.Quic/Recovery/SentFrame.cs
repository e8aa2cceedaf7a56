using Gimlet.Quic.Frames;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// What is remembered of a frame that was sent, so that its owner can be told that it arrived or must go out again (RFC 9000 section 13.3).
/// Not the bytes: they are made anew from the owner's state.
/// </summary>
/// <param name="Type">The type; of STREAM with its FIN bit (0x01), the other flags as they may be.</param>
/// <param name="Id">The stream's id, where the frame has one.</param>
/// <param name="Offset">
/// STREAM, CRYPTO: where the data begins. ACK: the largest number acknowledged. NEW_CONNECTION_ID, RETIRE_CONNECTION_ID: the sequence number. MAX_DATA,
/// MAX_STREAM_DATA, MAX_STREAMS: the limit.
/// </param>
/// <param name="Length">STREAM, CRYPTO: the data in bytes.</param>
internal readonly record struct SentFrame(FrameType Type, long Id = 0, long Offset = 0, int Length = 0);
