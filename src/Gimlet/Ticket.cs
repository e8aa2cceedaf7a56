using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Gimlet.Access;
using Gimlet.Identity;

namespace Gimlet;

/// <summary>
/// A string that holds a peer id, the URLs of its servers, and where access is limited a secret and when it ends: <c>gimlet1</c> and base32 of the
/// body and a checksum (docs/protocol.md section 1). What one person sends another so that they can connect.
/// </summary>
/// <remarks>
/// Whoever sees the text of a ticket with a secret can use it. <see cref="ToString"/> is that text, for the person who is to have it; logs take
/// <see cref="ToShortString"/>, and no message of this library has more than that.
/// </remarks>
[DebuggerDisplay("{ToShortString(),nq}")]
public sealed record Ticket
{
    /// <summary>What every ticket begins with.</summary>
    public const string Prefix = "gimlet1";

    private const int ChecksumLength = 4;
    private const byte ServerField = 1;
    private const byte SecretField = 2;
    private const byte ExpiryField = 3;
    private const int ExpiryLength = sizeof(long);
    private const int MaxBodyLength = 1024;
    private const int FieldHeaderLength = 2;

    private readonly byte[]? _secret;

    /// <summary>Makes a ticket.</summary>
    /// <param name="peer">Whom to connect to.</param>
    /// <param name="servers">The servers where that peer registers, the first one preferred.</param>
    /// <exception cref="ArgumentException">
    /// There is no peer, a URL is not one of HTTP or is longer than 255 bytes, or all together are longer than a ticket may be.
    /// </exception>
    public Ticket(PeerId peer, IEnumerable<Uri> servers)
        : this(peer, [.. servers], null, null)
    {
        if (peer.IsEmpty)
        {
            throw new ArgumentException("A ticket leads to a peer; this id is empty.", nameof(peer));
        }

        Check(nameof(servers));
    }

    private Ticket(PeerId peer, List<Uri> servers, byte[]? secret, DateTimeOffset? expires)
    {
        Peer = peer;
        Servers = servers;
        _secret = secret;
        Expires = expires;
    }

    /// <summary>Whom to connect to.</summary>
    public PeerId Peer { get; }

    /// <summary>The servers where that peer registers, the first one preferred.</summary>
    public IReadOnlyList<Uri> Servers { get; }

    /// <summary>True when the ticket has a secret, which admits its holder where the peer asks for one.</summary>
    public bool HasSecret => _secret is not null;

    /// <summary>From when on the peer refuses it, to the second; null for never.</summary>
    public DateTimeOffset? Expires { get; }

    /// <summary>The secret; empty where the ticket has none.</summary>
    internal ReadOnlySpan<byte> Secret => _secret;

    /// <summary>This ticket with a secret that the peer's book has issued.</summary>
    /// <param name="issued">The secret and its end.</param>
    /// <exception cref="ArgumentException">With it, the ticket is longer than one may be.</exception>
    internal Ticket With(IssuedTicket issued)
    {
        if (issued.Secret is not { Length: TicketProof.SecretLength })
        {
            throw new ArgumentException($"A ticket's secret has {TicketProof.SecretLength} bytes.", nameof(issued));
        }

        // To the second, as the text has it, so that what is read again is equal to what was written.
        DateTimeOffset? expires = issued.Expires is { } end ? DateTimeOffset.FromUnixTimeSeconds(end.ToUnixTimeSeconds()) : null;
        var ticket = new Ticket(Peer, [.. Servers], [.. issued.Secret], expires);
        ticket.Check(nameof(issued));
        return ticket;
    }

    /// <summary>True when the ticket's time is over by this side's clock. The peer decides by its own; asking here only says so sooner.</summary>
    /// <param name="now">The time.</param>
    public bool IsExpired(DateTimeOffset now) => Expires is { } end && now >= end;

    /// <summary>Reads a ticket, and says in words what is wrong with it.</summary>
    /// <param name="text">The text; white space around it does not matter.</param>
    /// <param name="ticket">The ticket.</param>
    /// <param name="problem">What is wrong, when the result is false.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Ticket? ticket, [NotNullWhen(false)] out string? problem)
    {
        ticket = null;
        ReadOnlySpan<char> trimmed = text.AsSpan().Trim();
        if (!trimmed.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
        {
            problem = $"a ticket begins with '{Prefix}'";
            return false;
        }

        trimmed = trimmed[Prefix.Length..];
        int length = trimmed.Length * 5 / 8;
        if (length is < PeerId.Size + ChecksumLength or > MaxBodyLength)
        {
            problem = "it is too short or too long to be a ticket: a part of it may be missing";
            return false;
        }

        byte[] bytes = new byte[length];
        if (!Base32.TryDecode(trimmed, bytes, out int badIndex))
        {
            problem = badIndex >= 0
                ? $"character {Prefix.Length + badIndex + 1}, '{trimmed[badIndex]}', is not one of a-z and 2-7"
                : "a character is missing or too many";
            return false;
        }

        ReadOnlySpan<byte> body = bytes.AsSpan(0, length - ChecksumLength);
        if (!SHA256.HashData(body).AsSpan(0, ChecksumLength).SequenceEqual(bytes.AsSpan(length - ChecksumLength)))
        {
            problem = "the checksum does not match: there is a typing error in this ticket";
            return false;
        }

        return TryReadBody(body, out ticket, out problem);
    }

    /// <summary>Reads a ticket.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">The text is not a ticket; the message says where it is wrong, and does not repeat it: it may hold a secret.</exception>
    public static Ticket Parse(string text) =>
        TryParse(text, out Ticket? ticket, out string? problem) ? ticket : throw new FormatException($"{Describe(text)} is not a ticket: {problem}.");

    /// <summary>The text form, with the secret where there is one: for the person who is to use it, never for a log (<see cref="ToShortString"/>).</summary>
    public override string ToString()
    {
        var body = new List<byte>(128);
        Span<byte> peer = stackalloc byte[PeerId.Size];
        Peer.CopyTo(peer);
        body.AddRange(peer);
        foreach (Uri server in Servers)
        {
            AddField(body, ServerField, UrlBytes(server));
        }

        if (_secret is not null)
        {
            AddField(body, SecretField, _secret);
        }

        if (Expires is { } end)
        {
            Span<byte> seconds = stackalloc byte[ExpiryLength];
            BinaryPrimitives.WriteInt64BigEndian(seconds, end.ToUnixTimeSeconds());
            AddField(body, ExpiryField, seconds);
        }

        byte[] bytes = [.. body, .. SHA256.HashData([.. body]).AsSpan(0, ChecksumLength)];
        return Prefix + Base32.Encode(bytes);
    }

    /// <summary>What a log may say: whom the ticket leads to, and what it has, without the secret.</summary>
    public string ToShortString() =>
        $"ticket to {Peer.ToShortString()} ({Servers.Count} servers{(HasSecret ? ", with a secret" : string.Empty)}{(Expires is { } end ? $", until {end:u}" : string.Empty)})";

    /// <summary>True when both lead to the same peer through the same servers with the same secret.</summary>
    /// <param name="other">The other ticket.</param>
    public bool Equals(Ticket? other) => other is not null && Peer == other.Peer && Servers.SequenceEqual(other.Servers)
        && HasSecret == other.HasSecret && CryptographicOperations.FixedTimeEquals(Secret, other.Secret) && Expires == other.Expires;

    /// <inheritdoc/>
    public override int GetHashCode() => Peer.GetHashCode();

    // The text may be a ticket with one wrong character, so nothing behind the prefix is repeated.
    private static string Describe(string? text) => text is null ? "nothing" : $"This text of {text.Length} characters";

    private static void AddField(List<byte> body, byte type, ReadOnlySpan<byte> value)
    {
        body.Add(type);
        body.Add((byte)value.Length);
        body.AddRange(value);
    }

    private static bool IsServer(Uri url) => url.IsAbsoluteUri && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    private static byte[] UrlBytes(Uri url) => Encoding.UTF8.GetBytes(url.GetLeftPart(UriPartial.Path));

    private static bool TryReadBody(ReadOnlySpan<byte> body, [NotNullWhen(true)] out Ticket? ticket, [NotNullWhen(false)] out string? problem)
    {
        ticket = null;
        problem = null;
        var servers = new List<Uri>();
        byte[]? secret = null;
        DateTimeOffset? expires = null;
        var peer = new PeerId(body[..PeerId.Size]);
        if (peer.IsEmpty)
        {
            problem = "it names no peer";
            return false;
        }

        ReadOnlySpan<byte> fields = body[PeerId.Size..];
        while (!fields.IsEmpty)
        {
            if (fields.Length < FieldHeaderLength || fields.Length < FieldHeaderLength + fields[1])
            {
                problem = "its last field is cut short";
                return false;
            }

            ReadOnlySpan<byte> value = fields.Slice(FieldHeaderLength, fields[1]);
            switch (fields[0])
            {
                case ServerField when Uri.TryCreate(Encoding.UTF8.GetString(value), UriKind.Absolute, out Uri? url) && IsServer(url) && UrlBytes(url).Length <= byte.MaxValue:
                    servers.Add(url);
                    break;
                case SecretField when !TryReadSecret(value, ref secret, out problem):
                case ExpiryField when !TryReadExpiry(value, ref expires, out problem):
                    return false;
                default:
                    break;
            }

            fields = fields[(FieldHeaderLength + value.Length)..];
        }

        ticket = new Ticket(peer, servers, secret, expires);
        return true;
    }

    // A secret or an end that cannot be read is no field to ignore: the call would be refused, and nobody could say why.
    private static bool TryReadSecret(ReadOnlySpan<byte> value, ref byte[]? secret, [NotNullWhen(false)] out string? problem)
    {
        problem = secret is not null ? "it has two secrets"
            : value.Length != TicketProof.SecretLength ? $"its secret has {value.Length} bytes and should have {TicketProof.SecretLength}"
            : null;
        secret = value.ToArray();
        return problem is null;
    }

    private static bool TryReadExpiry(ReadOnlySpan<byte> value, ref DateTimeOffset? expires, [NotNullWhen(false)] out string? problem)
    {
        long seconds = value.Length == ExpiryLength ? BinaryPrimitives.ReadInt64BigEndian(value) : -1;
        problem = expires is not null ? "it has two expiry times"
            : seconds < 0 || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? "its expiry is not a time"
            : null;
        expires = problem is null ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
        return problem is null;
    }

    private void Check(string parameter)
    {
        int length = PeerId.Size + ChecksumLength + (HasSecret ? FieldHeaderLength + TicketProof.SecretLength : 0) + (Expires is null ? 0 : FieldHeaderLength + ExpiryLength);
        foreach (Uri server in Servers)
        {
            // Refused here and not left out silently: the ticket would lead nowhere.
            if (!IsServer(server) || UrlBytes(server).Length > byte.MaxValue)
            {
                throw new ArgumentException($"'{server}' is not an HTTP URL of at most {byte.MaxValue} bytes, so no ticket can carry it.", parameter);
            }

            length += FieldHeaderLength + UrlBytes(server).Length;
        }

        if (length > MaxBodyLength)
        {
            throw new ArgumentException($"The URLs make a ticket of {length} bytes; {MaxBodyLength} are the most.", parameter);
        }
    }
}
