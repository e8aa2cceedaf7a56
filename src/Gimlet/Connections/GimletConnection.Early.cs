using System.Threading.Channels;
using Gimlet.Connections;
using Gimlet.Quic;

namespace Gimlet;

/// <content>Streams of the peer that come in front of its control stream.</content>
public sealed partial class GimletConnection
{
    // Streams that came in front of the control stream; completed when that has come. A stream that was taken from QUIC no longer counts against what the peer may
    // open, and one may be over as soon as it is there: so QUIC's own limit of 100 at once, once more, and then the peer waits until the application takes one.
    private const int MaxEarly = 100;

    private readonly Channel<QuicStream> _early = Channel.CreateBounded<QuicStream>(MaxEarly);

    // Taken from QUIC when there was no room for it any more.
    private QuicStream? _lastEarly;

    // The peer's first stream is the control stream; those of the application may overtake it.
    private async Task FindControlAsync()
    {
        try
        {
            for (bool isOver = !IsIncoming; !isOver;)
            {
                QuicStream stream = await _quic.AcceptStreamAsync().ConfigureAwait(false);
                isOver = stream.Id == 0;
                if (isOver)
                {
                    _ = _control.RunAsync(stream);
                }
                else if (!_early.Writer.TryWrite(stream))
                {
                    isOver = !await TryKeepAsync(stream).ConfigureAwait(false);
                }
            }
        }
        catch (QuicException)
        {
            // The connection has ended, as everybody is told.
        }
        finally
        {
            _ = _early.Writer.TryComplete();
        }
    }

    // Waits until the application has taken one; false when the connection has ended meanwhile.
    private async Task<bool> TryKeepAsync(QuicStream stream)
    {
        Volatile.Write(ref _lastEarly, stream);
        using var ended = new CancellationTokenSource();
        Task<bool> room = _early.Writer.WaitToWriteAsync(ended.Token).AsTask();
        bool isKept = await Task.WhenAny(room, _quic.Closed).ConfigureAwait(false) == room
            && _early.Writer.TryWrite(Interlocked.Exchange(ref _lastEarly, null)!);
        await ended.CancelAsync().ConfigureAwait(false);
        return isKept;
    }
}
