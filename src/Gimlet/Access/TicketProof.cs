using System.Security.Cryptography;

namespace Gimlet.Access;

/// <summary>
/// How a caller shows that it holds a ticket's secret, without the server learning it (docs/protocol.md section 1, "Tickets"):
/// HMAC-SHA-256 over the call, both peers and the call's key. A proof is worth nothing in another call, from another peer or with another key.
/// </summary>
internal static class TicketProof
{
    /// <summary>The length of a ticket's secret. 128 bits, which nobody guesses through a server.</summary>
    public const int SecretLength = 16;

    /// <summary>The length of a proof: a whole HMAC-SHA-256.</summary>
    public const int Length = HMACSHA256.HashSizeInBytes;

    /// <summary>The length of the call's ephemeral point: P-256, uncompressed.</summary>
    public const int PointLength = 65;

    /// <summary>The length of what is signed: label, call id, caller, callee, point.</summary>
    public const int StatementLength = 17 + CallId.Size + (2 * PeerId.Size) + PointLength;

    private static ReadOnlySpan<byte> Label => "gimlet.v1 ticket\0"u8;

    /// <summary>Computes the proof of a call.</summary>
    /// <param name="secret">The ticket's secret, 16 bytes.</param>
    /// <param name="call">The call.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="callee">Who is called: the ticket's peer.</param>
    /// <param name="ephemeralPoint">The caller's key of this call, 65 bytes.</param>
    public static byte[] Compute(ReadOnlySpan<byte> secret, CallId call, PeerId caller, PeerId callee, ReadOnlySpan<byte> ephemeralPoint)
    {
        if (secret.Length != SecretLength)
        {
            throw new ArgumentException($"A ticket's secret has {SecretLength} bytes, not {secret.Length}.", nameof(secret));
        }

        Span<byte> statement = stackalloc byte[StatementLength];
        WriteStatement(call, caller, callee, ephemeralPoint, statement);
        return HMACSHA256.HashData(secret, statement);
    }

    /// <summary>Writes what the proof is computed over; the same for every secret, so a book with many writes it once.</summary>
    /// <param name="call">The call.</param>
    /// <param name="caller">Who calls.</param>
    /// <param name="callee">Who is called.</param>
    /// <param name="ephemeralPoint">The caller's key of this call, 65 bytes.</param>
    /// <param name="statement">Receives <see cref="StatementLength"/> bytes.</param>
    public static void WriteStatement(CallId call, PeerId caller, PeerId callee, ReadOnlySpan<byte> ephemeralPoint, Span<byte> statement)
    {
        if (ephemeralPoint.Length != PointLength)
        {
            throw new ArgumentException($"An ephemeral point has {PointLength} bytes, not {ephemeralPoint.Length}.", nameof(ephemeralPoint));
        }

        Label.CopyTo(statement);
        Span<byte> rest = statement[Label.Length..];
        call.CopyTo(rest);
        caller.CopyTo(rest[CallId.Size..]);
        callee.CopyTo(rest[(CallId.Size + PeerId.Size)..]);
        ephemeralPoint.CopyTo(rest[(CallId.Size + (2 * PeerId.Size))..]);
    }

    /// <summary>True when the proof was made with this secret. Takes the same time wherever the two differ.</summary>
    /// <param name="secret">The ticket's secret.</param>
    /// <param name="statement">From <see cref="WriteStatement"/>.</param>
    /// <param name="proof">What the call carried, of any length.</param>
    public static bool Verify(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> proof)
    {
        Span<byte> expected = stackalloc byte[Length];
        _ = HMACSHA256.HashData(secret, statement, expected);
        return CryptographicOperations.FixedTimeEquals(expected, proof);
    }
}
