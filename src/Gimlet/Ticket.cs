using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Gimlet.Identity;

namespace Gimlet;

/// <summary>
/// A string that holds a peer id and the URLs of its servers: <c>gimlet1</c> and base32 of the body and a checksum
/// (docs/protocol.md section 1). What one person sends another so that they can connect.
/// </summary>
public sealed record Ticket
{
    /// <summary>What every ticket begins with.</summary>
    public const string Prefix = "gimlet1";

    private const int ChecksumLength = 4;
    private const byte ServerField = 1;
    private const int MaxBodyLength = 1024;
    private const int FieldHeaderLength = 2;

    /// <summary>Makes a ticket.</summary>
    /// <param name="peer">Whom to connect to.</param>
    /// <param name="servers">The servers where that peer registers, the first one preferred.</param>
    /// <exception cref="ArgumentException">A URL is not one of HTTP, is longer than 255 bytes, or all together are longer than a ticket may be.</exception>
    public Ticket(PeerId peer, IEnumerable<Uri> servers)
    {
        Peer = peer;
        Servers = [.. servers];
        int length = PeerId.Size + ChecksumLength;
        foreach (Uri server in Servers)
        {
            // Refused here and not left out silently: the ticket would lead nowhere.
            if (!IsServer(server) || UrlBytes(server).Length > byte.MaxValue)
            {
                throw new ArgumentException($"'{server}' is not an HTTP URL of at most {byte.MaxValue} bytes, so no ticket can carry it.", nameof(servers));
            }

            length += FieldHeaderLength + UrlBytes(server).Length;
        }

        if (length > MaxBodyLength)
        {
            throw new ArgumentException($"The URLs make a ticket of {length} bytes; {MaxBodyLength} are the most.", nameof(servers));
        }
    }

    private Ticket(PeerId peer, List<Uri> servers)
    {
        Peer = peer;
        Servers = servers;
    }

    /// <summary>Whom to connect to.</summary>
    public PeerId Peer { get; }

    /// <summary>The servers where that peer registers, the first one preferred.</summary>
    public IReadOnlyList<Uri> Servers { get; }

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
    /// <exception cref="FormatException">The text is not a ticket; the message says where it is wrong.</exception>
    public static Ticket Parse(string text) =>
        TryParse(text, out Ticket? ticket, out string? problem) ? ticket : throw new FormatException($"'{text}' is not a ticket: {problem}.");

    /// <summary>The text form.</summary>
    public override string ToString()
    {
        var body = new List<byte>(128);
        Span<byte> peer = stackalloc byte[PeerId.Size];
        Peer.CopyTo(peer);
        body.AddRange(peer);
        foreach (Uri server in Servers)
        {
            byte[] url = UrlBytes(server);
            body.Add(ServerField);
            body.Add((byte)url.Length);
            body.AddRange(url);
        }

        byte[] bytes = [.. body, .. SHA256.HashData([.. body]).AsSpan(0, ChecksumLength)];
        return Prefix + Base32.Encode(bytes);
    }

    /// <summary>True when both lead to the same peer through the same servers.</summary>
    /// <param name="other">The other ticket.</param>
    public bool Equals(Ticket? other) => other is not null && Peer == other.Peer && Servers.SequenceEqual(other.Servers);

    /// <inheritdoc/>
    public override int GetHashCode() => Peer.GetHashCode();

    private static bool IsServer(Uri url) => url.IsAbsoluteUri && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    private static byte[] UrlBytes(Uri url) => Encoding.UTF8.GetBytes(url.GetLeftPart(UriPartial.Path));

    private static bool TryReadBody(ReadOnlySpan<byte> body, [NotNullWhen(true)] out Ticket? ticket, [NotNullWhen(false)] out string? problem)
    {
        ticket = null;
        var servers = new List<Uri>();
        ReadOnlySpan<byte> fields = body[PeerId.Size..];
        while (!fields.IsEmpty)
        {
            if (fields.Length < FieldHeaderLength || fields.Length < FieldHeaderLength + fields[1])
            {
                problem = "its last field is cut short";
                return false;
            }

            ReadOnlySpan<byte> value = fields.Slice(FieldHeaderLength, fields[1]);
            if (fields[0] == ServerField && Uri.TryCreate(Encoding.UTF8.GetString(value), UriKind.Absolute, out Uri? url) && IsServer(url) && UrlBytes(url).Length <= byte.MaxValue)
            {
                servers.Add(url);
            }

            fields = fields[(FieldHeaderLength + value.Length)..];
        }

        ticket = new Ticket(new PeerId(body[..PeerId.Size]), servers);
        problem = null;
        return true;
    }
}
