using System.Security.Cryptography;
using System.Text;
using Gimlet.Quic;

namespace Gimlet.Worker;

/// <summary>
/// Each side of a connection shows the other that it knows the group's secret, on the first stream, which carries nothing else. The proofs name both peer ids,
/// which TLS has proven, and the role: they are worth nothing on another connection, and nothing when they are sent back.
/// </summary>
internal static class GroupProof
{
    /// <summary>Bytes of one proof.</summary>
    public const int Length = HMACSHA256.HashSizeInBytes;

    /// <summary>How long the other side may take. 5 s: it has the offer that this side has, or gets it in a moment.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>The proof of one side.</summary>
    /// <param name="secret">The group's secret.</param>
    /// <param name="isDialler">That side opened the connection.</param>
    /// <param name="own">Its peer id.</param>
    /// <param name="other">The other side's.</param>
    public static byte[] Compute(string secret, bool isDialler, PeerId own, PeerId other)
    {
        byte[] statement = [.. "gimlet worker group\0"u8, .. isDialler ? "dialler"u8 : "acceptor"u8, 0, .. stackalloc byte[2 * PeerId.Size]];
        own.CopyTo(statement.AsSpan(statement.Length - (2 * PeerId.Size)));
        other.CopyTo(statement.AsSpan(statement.Length - PeerId.Size));
        return HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), statement);
    }

    /// <summary>Exchanges the proofs; returns when both sides are content, as far as this one knows.</summary>
    /// <param name="connection">A connection on which nobody has opened a stream.</param>
    /// <param name="self">This side's peer id.</param>
    /// <param name="secret">The group's secret.</param>
    /// <param name="cancellationToken">Ends the exchange.</param>
    /// <exception cref="GimletException"><see cref="GimletErrorKind.Refused"/>: the other side does not know it; <see cref="GimletErrorKind.TimedOut"/>: it says nothing.</exception>
    public static async Task ExchangeAsync(GimletConnection connection, PeerId self, string secret, CancellationToken cancellationToken)
    {
        bool dials = !connection.IsIncoming;
        byte[] own = Compute(secret, dials, self, connection.RemotePeer);
        byte[] expected = Compute(secret, !dials, connection.RemotePeer, self);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bound.CancelAfter(Timeout);
        try
        {
            if (dials)
            {
                QuicStream stream = await connection.OpenStreamAsync(QuicStreamType.Bidirectional, bound.Token).ConfigureAwait(false);
                await stream.WriteAsync(own, completeWrites: true, bound.Token).ConfigureAwait(false);
                await VerifyAsync(stream, expected, bound.Token).ConfigureAwait(false);
            }
            else
            {
                // Whoever dials shows first: a stranger who dials gets nothing to guess the secret from.
                QuicStream stream = await connection.AcceptStreamAsync(bound.Token).ConfigureAwait(false);
                await VerifyAsync(stream, expected, bound.Token).ConfigureAwait(false);
                await stream.WriteAsync(own, completeWrites: true, bound.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GimletException(GimletErrorKind.TimedOut, $"The peer has not shown within {Timeout.TotalSeconds:0} s that it knows the group's secret.");
        }
        catch (QuicException e) when (e.Kind == QuicErrorKind.StreamAborted)
        {
            throw new GimletException(GimletErrorKind.Refused, "The peer does not show that it knows the group's secret.", innerException: e);
        }
        catch (QuicException e)
        {
            string reason = await connection.Closed.WaitAsync(cancellationToken).ConfigureAwait(false);
            throw new GimletException(GimletErrorKind.Refused, $"The peer has ended the connection before both knew that they share the group's secret: {reason}.", innerException: e);
        }
    }

    private static async Task VerifyAsync(QuicStream stream, byte[] expected, CancellationToken cancellationToken)
    {
        byte[] shown = new byte[Length + 1];
        int length = stream.Type == QuicStreamType.Bidirectional
            ? await stream.ReadAtLeastAsync(shown, shown.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false)
            : 0;
        if (length != Length || !CryptographicOperations.FixedTimeEquals(shown.AsSpan(0, Length), expected))
        {
            throw new GimletException(GimletErrorKind.Refused, "The peer does not know the group's secret.", "Give all workers of the group the same one.");
        }
    }
}
