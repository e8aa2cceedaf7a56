using Gimlet.Sockets;
using Gimlet.Stun.Attributes;

namespace Gimlet.Stun.Server;

/// <summary>
/// Answers Binding requests (RFC 8489, behaviour discovery of RFC 5780, RFC 3489 clients): one datagram in, at most one out. It
/// keeps no state,
/// allocates nothing, and may be called from many threads at once.
/// </summary>
/// <remarks>
/// <para>Answers to strangers stay within 2.1 times the request (<c>AnswerBudget</c>): errors have no reason phrase, there is no SOFTWARE,
/// FINGERPRINT comes only where the request had one, and RFC 5780's attributes only where a second port or address is configured
/// and they fit.</para>
/// <para>Without a second port or address, a CHANGE-REQUEST that asks for a change, RESPONSE-PORT and PADDING are unknown
/// attributes. With one, RESPONSE-PORT is obeyed (whoever
/// can forge a source can forge its port as well, and the answer stays as short), and PADDING is mirrored, never longer than it
/// came.</para>
/// <para>OTHER-ADDRESS needs a second IP address (RFC 5780 section 7.4: "MUST NOT be inserted into a Binding Response unless the
/// server has a
/// second IP address"); with only a second port, a client learns it from RESPONSE-ORIGIN of a "change port" answer.</para>
/// <para>Two deviations from RFC 5780 are deliberate. Section 6 has a server without a second address refuse every CHANGE-REQUEST;
/// this one changes
/// the port where it has two, which tells a client half of what two addresses would, and lies to nobody. Section 6.1 has
/// MAPPED-ADDRESS beside
/// XOR-MAPPED-ADDRESS in every answer; here it would only amplify, and clients of RFC 5780 read the latter.</para>
/// <para>RFC 3489's RESPONSE-ADDRESS let anyone choose a victim and is refused like any unknown attribute. What an RFC 3489 client
/// cannot have (an answer from an address
/// that does not exist) is met with silence, which it takes for a filter: the widespread pystun repeats a request without end, as
/// fast as it can, while it gets errors.</para>
/// </remarks>
public sealed class StunResponder
{
    /// <summary>The length of the buffer that fits every answer to a request that came in one unfragmented Ethernet packet.</summary>
    public const int MaxAnswerLength = 1500;

    // More unknown types than this in one request are noise; RFC 8489 section 14.13 asks for "a list", and this keeps it on the stack.
    private const int MaxUnknown = 16;

    private const int FingerprintLength = 8;
    private const int AddressHeaderLength = 8;

    private readonly StunServerEndpoints _endpoints;
    private readonly byte[]? _proofKey;
    private readonly TimeProvider _time;

    /// <summary>Makes a responder.</summary>
    /// <param name="endpoints">Where the server listens.</param>
    /// <param name="proofKey">The 32-byte key for GIMLET-PROOF; empty: no proofs.</param>
    /// <param name="time">The wall clock for GIMLET-PROOF.</param>
    /// <exception cref="ArgumentException">The endpoints contradict themselves, or the key has another length.</exception>
    public StunResponder(StunServerEndpoints endpoints, ReadOnlySpan<byte> proofKey, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(time);
        endpoints.Validate();
        if (!proofKey.IsEmpty)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(proofKey.Length, ObservationProof.KeyLength, nameof(proofKey));
            _proofKey = proofKey.ToArray();
        }

        _endpoints = endpoints;
        _time = time;
    }

    /// <summary>Answers one datagram.</summary>
    /// <param name="datagram">What arrived.</param>
    /// <param name="from">Where it came from.</param>
    /// <param name="local">The local address and port it came to.</param>
    /// <param name="response">Where the answer is written; <see cref="MaxAnswerLength"/> bytes. It must not overlap the datagram.</param>
    /// <returns>The answer, where it must leave from and where it must go, or why there is none.</returns>
    public StunAnswer Answer(ReadOnlySpan<byte> datagram, TransportAddress from, TransportAddress local, Span<byte> response)
    {
        if (!StunMessage.TryParseAny(datagram, out StunMessage request))
        {
            return StunAnswer.Drop(StunVerdict.NotStun);
        }

        // RFC 8489 section 6.3: a message whose method or class is not expected is silently discarded.
        if (request.Class != StunClass.Request || request.Method != StunMethod.Binding)
        {
            return StunAnswer.Drop(StunVerdict.NotForUs);
        }

        if (from.Port == 0 || from.IsUnspecified || from.IsMulticast || from.IsBroadcast)
        {
            return StunAnswer.Drop(StunVerdict.BadSource);
        }

        var wanted = new Wanted();
        Span<StunAttributeType> unknown = stackalloc StunAttributeType[MaxUnknown];
        StunVerdict verdict = Read(request, local, ref wanted, unknown, out int unknowns);
        if (verdict != StunVerdict.Answered)
        {
            return StunAnswer.Drop(verdict);
        }

        if (unknowns > 0)
        {
            return Refuse(request, StunErrorCode.UnknownAttribute, unknown[..unknowns], from, local, wanted.Fingerprint, response);
        }

        // RFC 5780 section 6.1: PADDING together with RESPONSE-PORT is error 400: the two would let a client aim long answers.
        if (wanted.BadResponsePort || (wanted.ResponsePort != 0 && wanted.Padding >= 0))
        {
            return Refuse(request, StunErrorCode.BadRequest, [], from, local, wanted.Fingerprint, response);
        }

        TransportAddress destination = wanted.ResponsePort == 0 ? from : from.WithPort(wanted.ResponsePort);
        int length = request.IsLegacy
            ? WriteLegacy(request, from, local, ref wanted, response)
            : Write(request, from, local, ref wanted, response);
        return length == 0
            ? StunAnswer.Drop(StunVerdict.NoRoom)
            : new StunAnswer(StunVerdict.Answered, length, wanted.Source, destination);
    }

    private static StunAnswer Refuse(
        StunMessage request,
        StunErrorCode code,
        ReadOnlySpan<StunAttributeType> unknown,
        TransportAddress from,
        TransportAddress local,
        bool fingerprint,
        Span<byte> response)
    {
        var builder = StunMessageBuilder.ResponseTo(response, StunClass.Error, request);
        builder.AddErrorCode(code);
        if (!unknown.IsEmpty)
        {
            builder.AddUnknownAttributes(unknown);
        }

        if (fingerprint)
        {
            builder.AddFingerprint();
        }

        return builder.Overflowed
            ? StunAnswer.Drop(StunVerdict.NoRoom)
            : new StunAnswer(StunVerdict.Refused, builder.Length, local, from);
    }

    /// <summary>Collects what the request asks for, and what of it this server does not understand.</summary>
    private StunVerdict Read(
        StunMessage request, TransportAddress local, ref Wanted wanted, Span<StunAttributeType> unknown, out int unknowns)
    {
        unknowns = 0;
        wanted.Source = local;
        wanted.Padding = -1;
        bool changeSeen = false;
        bool portSeen = false;
        foreach (StunAttribute attribute in request)
        {
            // RFC 3489 section 11.2: the length of an attribute is a multiple of 4; without a cookie, that is most of what tells
            // STUN from noise.
            if (request.IsLegacy && (attribute.Value.Length & 3) != 0)
            {
                return StunVerdict.NotStun;
            }

            switch (attribute.Type)
            {
                case StunAttributeType.ChangeRequest when !changeSeen:
                    changeSeen = true;
                    if (!TryChange(request, local, ref wanted))
                    {
                        if (request.IsLegacy)
                        {
                            return StunVerdict.LegacyUnsupported;
                        }

                        // RFC 5780 section 6.1: without the alternate address and port, "an error response of type 420".
                        AddUnknown(StunAttributeType.ChangeRequest, unknown, ref unknowns);
                    }

                    break;
                case StunAttributeType.ResponsePort when _endpoints.SupportsDiscovery && !request.IsLegacy:
                    // Once per request is enough, and keeps the work linear in the length of what a stranger sent.
                    if (!portSeen)
                    {
                        portSeen = true;
                        wanted.BadResponsePort = !request.TryGetResponsePort(out wanted.ResponsePort);
                    }

                    break;
                case StunAttributeType.Padding when _endpoints.SupportsDiscovery && !request.IsLegacy:
                    wanted.Padding = Math.Max(wanted.Padding, attribute.Value.Length);
                    break;
                case StunAttributeType.Fingerprint when !request.IsLegacy:
                    wanted.Fingerprint = true;
                    break;
                case StunAttributeType.GimletObserve:
                    wanted.Proof = attribute.Value.IsEmpty;
                    break;
                default:
                    if (attribute.Type.IsComprehensionRequired() && !IsUnderstood(attribute.Type))
                    {
                        AddUnknown(attribute.Type, unknown, ref unknowns);
                    }

                    break;
            }
        }

        // RFC 8489 section 6.3: with FINGERPRINT in use, a wrong value makes the message silently discarded.
        return wanted.Fingerprint && !request.VerifyFingerprint() ? StunVerdict.BadFingerprint : StunVerdict.Answered;
    }

    private bool TryChange(StunMessage request, TransportAddress local, ref Wanted wanted) =>
        request.TryGetChangeRequest(out ChangeRequest change)
        && _endpoints.TryRoute(
            local,
            (change & ChangeRequest.ChangeAddress) == ChangeRequest.ChangeAddress, // not HasFlag, which boxes until it is optimised
            (change & ChangeRequest.ChangePort) == ChangeRequest.ChangePort,
            out wanted.Source);

    // Attributes of credentials mean nothing to a server without users, and are no reason to refuse: RFC 8489 section 9 makes a
    // server that wants none ignore them.
    private static bool IsUnderstood(StunAttributeType type) => type
        is StunAttributeType.ChangeRequest
        or StunAttributeType.Username
        or StunAttributeType.MessageIntegrity
        or StunAttributeType.MessageIntegritySha256
        or StunAttributeType.Realm
        or StunAttributeType.Nonce
        or StunAttributeType.UserHash
        or StunAttributeType.PasswordAlgorithm;

    private static void AddUnknown(StunAttributeType type, Span<StunAttributeType> unknown, ref int unknowns)
    {
        if (unknowns < unknown.Length && !unknown[..unknowns].Contains(type))
        {
            unknown[unknowns++] = type;
        }
    }

    private int Write(
        StunMessage request, TransportAddress from, TransportAddress local, ref Wanted wanted, Span<byte> response)
    {
        int limit = AnswerBudget.MaxAnswer(from, request.Bytes.Length) - (wanted.Fingerprint ? FingerprintLength : 0);
        int addressLength = AddressHeaderLength + from.AddressLength;
        var builder = StunMessageBuilder.ResponseTo(response, StunClass.Success, request);
        builder.AddXorMappedAddress(from);
        if (wanted.Proof && _proofKey is not null)
        {
            Span<byte> proof = stackalloc byte[ObservationProof.Length];
            ObservationProof.Create(from, _proofKey, _time.GetUtcNow(), proof);
            builder.AddGimletProof(proof);
        }

        // What a client needs first comes first: with a proof over IPv6 there is room for one of the two.
        if (builder.Length + addressLength <= limit
            && _endpoints.TryRoute(local, changeAddress: true, changePort: true, out TransportAddress other))
        {
            builder.AddOtherAddress(_endpoints.Advertise(other));
        }

        if (_endpoints.SupportsDiscovery && builder.Length + addressLength <= limit)
        {
            builder.AddResponseOrigin(_endpoints.Advertise(wanted.Source));
        }

        if (wanted.Padding >= 0)
        {
            int room = Math.Min(limit, response.Length - FingerprintLength) - builder.Length - StunHeader.AttributeHeaderLength;
            builder.AddPadding(Math.Min(wanted.Padding, Math.Max(0, room & ~3)));
        }

        if (wanted.Fingerprint)
        {
            builder.AddFingerprint();
        }

        return builder.Length;
    }

    // RFC 3489 section 8.1. IPv6 has no place in it, but clients that send it understand the family byte.
    private int WriteLegacy(
        StunMessage request, TransportAddress from, TransportAddress local, ref Wanted wanted, Span<byte> response)
    {
        var builder = StunMessageBuilder.ResponseTo(response, StunClass.Success, request);
        builder.AddMappedAddress(from);
        builder.AddSourceAddress(_endpoints.Advertise(wanted.Source));
        if (_endpoints.TryRoute(local, changeAddress: true, changePort: true, out TransportAddress other))
        {
            builder.AddChangedAddress(_endpoints.Advertise(other));
        }

        return builder.Length;
    }

    /// <summary>What one request asks for.</summary>
    private struct Wanted
    {
        public TransportAddress Source;
        public int ResponsePort;
        public int Padding;
        public bool BadResponsePort;
        public bool Fingerprint;
        public bool Proof;
    }
}
