using Gimlet.Quic.Frames;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Recovery;

/// <summary>
/// Which packets arrived and which are lost (RFC 9002 section 6), for all packet number spaces and paths of a connection. Packets are compared
/// with packets of the same path only: with one space over many paths, a larger number that arrived on another path says nothing. The packet
/// threshold therefore counts packets sent on the path, not numbers. Each path has its PTO and its own backoff.
/// </summary>
internal sealed partial class LossDetection
{
    /// <summary>How many packet number spaces there are.</summary>
    internal const int SpaceCount = 3;

    private readonly RecoverySettings _settings;
    private readonly EndpointRole _role;
    private readonly IRecoveryEvents _events;
    private readonly NumberSpace[] _spaces;
    private readonly List<PathRecord> _paths = [];
    private bool _isPeerAddressValidated;

    // When the timer was set last: what the PTO of a client counts from that has nothing in flight (RFC 9002 appendix A.8).
    private TimeSpan _timerSetAt;

    /// <summary>A connection that has not sent anything.</summary>
    /// <param name="settings">The constants.</param>
    /// <param name="role">A client keeps a timer against the deadlock of a server that may not send (RFC 9002 section 6.2.2.1).</param>
    /// <param name="events">Is told what became of packets.</param>
    /// <param name="random">Fills a span with random bytes: then application packet numbers are skipped now and then (RFC 9000 section 21.4).</param>
    public LossDetection(RecoverySettings settings, EndpointRole role, IRecoveryEvents events, Action<Span<byte>>? random = null)
    {
        _settings = settings;
        _role = role;
        _events = events;
        _spaces =
        [
            new NumberSpace(null),
            new NumberSpace(null),
            new NumberSpace(random is null ? null : new SkippedNumbers(settings, random)),
        ];
    }

    /// <summary>RFC 9001 section 4.1.2. Before, application packets have no PTO (RFC 9002 section 6.2.1).</summary>
    public bool IsHandshakeConfirmed { get; set; }

    /// <summary>A client's probe against the deadlock is a Handshake packet then, not an Initial.</summary>
    public bool HasHandshakeKeys { get; set; }

    /// <summary>
    /// Whether the peer knows that we have our address (RFC 9002 appendix A.8, PeerCompletedAddressValidation): always for a server; for a client
    /// once a Handshake packet was acknowledged, which is seen here, or the handshake is confirmed.
    /// </summary>
    public bool IsPeerAddressValidated
    {
        get => _isPeerAddressValidated || _role is EndpointRole.Server || IsHandshakeConfirmed;
        set => _isPeerAddressValidated = value;
    }

    /// <summary>The peer's max_ack_delay; zero until it is known.</summary>
    public TimeSpan PeerMaxAckDelay { get; set; }

    /// <summary>Packets on a path from now on.</summary>
    public void AddPath(PathRecovery path)
    {
        if (Find(path.Path) is not null)
        {
            throw new ArgumentException("The path is there already.", nameof(path));
        }

        _paths.Add(new PathRecord(path, _settings));
    }

    /// <summary>The path is gone: what is in flight there is lost, which is no sign of congestion anywhere.</summary>
    public void RemovePath(TimeSpan now, PathId path)
    {
        if (Find(path) is { } record)
        {
            MarkAllLost(now, path);
            _paths.Remove(record);
        }
    }

    /// <summary>The number of the next packet; <see cref="OnPacketSent"/> must be given exactly this one.</summary>
    public long NextPacketNumber(PacketNumberSpace space) => _spaces[(int)space].Next;

    /// <summary>The largest number the peer acknowledged, or <see cref="PacketNumber.None"/>.</summary>
    public long LargestAcknowledged(PacketNumberSpace space) => _spaces[(int)space].LargestAcknowledged;

    /// <summary>A packet was sent.</summary>
    /// <param name="space">Its space.</param>
    /// <param name="packet">The packet; its path must have been added.</param>
    /// <param name="frames">Its frames; they are copied.</param>
    public void OnPacketSent(PacketNumberSpace space, in SentPacket packet, ReadOnlySpan<SentFrame> frames)
    {
        NumberSpace numbers = _spaces[(int)space];
        if (packet.PacketNumber != numbers.Next)
        {
            throw new ArgumentException("The packet number is not the next one.", nameof(packet));
        }

        PathRecord record = Find(packet.Path) ?? throw new ArgumentException("The path was not added.", nameof(packet));
        PathSpace sent = record.GetOrAdd(space);
        var entry = new SentEntry
        {
            PacketNumber = packet.PacketNumber,
            Sequence = sent.NextSequence++,
            SentAt = packet.SentAt,
            Size = packet.Size,
            IsAckEliciting = packet.IsAckEliciting,
            IsInFlight = packet.IsInFlight,
            IsMtuProbe = packet.IsMtuProbe,
            Ecn = packet.Ecn,
        };
        if (packet.IsInFlight)
        {
            sent.InFlight.Add(entry, frames);
            _timerSetAt = packet.SentAt;
        }
        else
        {
            // A peer that acknowledges nothing but makes us acknowledge would make this grow: only the last ones are of use.
            if (sent.AckOnly.Count == _settings.MaxRememberedAckOnly)
            {
                sent.AckOnly.RemoveFirst();
            }

            sent.AckOnly.Add(entry, frames);
        }

        if (packet.IsAckEliciting)
        {
            sent.PtoBase = packet.SentAt;
            sent.AckElicitingInFlight++;
        }

        if (packet.Ecn is EcnCodepoint.Ect0)
        {
            numbers.Ecn.OnMarkedSent();
        }

        record.Recovery.OnPacketSent(packet);
        numbers.Advance();
    }

    /// <summary>Whether an ack-eliciting packet of the space is in flight, on any path.</summary>
    public bool HasAckElicitingInFlight(PacketNumberSpace space)
    {
        foreach (PathRecord record in _paths)
        {
            if (record[space] is { AckElicitingInFlight: > 0 })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>How many ack-eliciting packets of all spaces are in flight on the path.</summary>
    public int CountAckElicitingInFlight(PathId path)
    {
        int count = 0;
        if (Find(path) is { } record)
        {
            for (int space = 0; space < SpaceCount; space++)
            {
                count += record[(PacketNumberSpace)space]?.AckElicitingInFlight ?? 0;
            }
        }

        return count;
    }

    /// <summary>The keys of a space are gone (RFC 9002 section 6.4): its packets are forgotten; the owners of their frames are not told.</summary>
    public void DiscardSpace(PacketNumberSpace space)
    {
        _spaces[(int)space].IsDiscarded = true;
        foreach (PathRecord record in _paths)
        {
            if (record[space] is { } sent)
            {
                for (int i = 0; i < sent.InFlight.Count; i++)
                {
                    ref SentEntry entry = ref sent.InFlight[i];
                    if (!entry.IsAcknowledged && !entry.IsHandedOver)
                    {
                        record.Recovery.OnRemoved(entry.Size);
                    }
                }

                record.Remove(space);
            }

            // RFC 9002 section 6.2.2: the backoff begins anew, too.
            record.Recovery.ResetPtoCount();
        }
    }

    /// <summary>
    /// A client received a Retry: its Initial packets go out again, by way of <see cref="IRecoveryEvents.OnFrameLost"/>, and congestion control
    /// and recovery begin anew (RFC 9002 section 6.3). Numbers are not used again (RFC 9000 section 17.2.5.3).
    /// </summary>
    public void OnRetry()
    {
        foreach (PathRecord record in _paths)
        {
            if (record[PacketNumberSpace.Initial] is { } sent)
            {
                LoseAll(PacketNumberSpace.Initial, sent);
            }

            record.Recovery.Reset();
        }
    }

    /// <summary>
    /// The path is known to be dead: everything in flight on it is lost, which is no sign of congestion. Initial and Handshake packets, too.
    /// </summary>
    public void MarkAllLost(TimeSpan now, PathId path)
    {
        if (Find(path) is { } record)
        {
            for (int space = 0; space < SpaceCount; space++)
            {
                if (record[(PacketNumberSpace)space] is { } sent)
                {
                    LoseAll((PacketNumberSpace)space, sent);
                }
            }

            _timerSetAt = now;
        }
    }

    /// <summary>
    /// The path's owner says that it is dead, and leaves it: everything in flight there counts as lost at once, as <see cref="MarkAllLost"/> has it, so that it goes out
    /// again elsewhere. But where only the way back died much of it has arrived, and the first acknowledgement that comes another way says so: the packets
    /// are remembered for that until a probe timeout of the path, or <see cref="MarkAllLost"/>, and what was acknowledged meanwhile does not go out again.
    /// </summary>
    public void HandOver(TimeSpan now, PathId path)
    {
        if (Find(path) is not { } record)
        {
            return;
        }

        for (int space = 0; space < SpaceCount; space++)
        {
            if (record[(PacketNumberSpace)space] is not { } sent)
            {
                continue;
            }

            for (int i = 0; i < sent.InFlight.Count; i++)
            {
                ref SentEntry entry = ref sent.InFlight[i];
                if (!entry.IsAcknowledged && !entry.IsHandedOver)
                {
                    entry = entry with { IsHandedOver = true };
                    TellLost((PacketNumberSpace)space, sent, entry);
                }
            }

            sent.LossTime = null;
            sent.Persistence.Reset();
        }

        _timerSetAt = now;
    }

    /// <summary>
    /// A probe timeout has nothing new to send: the frames of the oldest packets in flight go out again. The packets stay in flight, for a probe
    /// timeout is no proof of loss (RFC 9002 section 6.2).
    /// </summary>
    /// <param name="space">The space of the timeout.</param>
    /// <param name="path">Its path.</param>
    /// <param name="packets">How many packets.</param>
    public void RetransmitOldest(PacketNumberSpace space, PathId path, int packets)
    {
        if (Find(path)?[space] is not { } sent)
        {
            return;
        }

        for (int i = 0; i < sent.InFlight.Count && packets > 0; i++)
        {
            ref SentEntry entry = ref sent.InFlight[i];
            if (!entry.IsAckEliciting || entry.IsAcknowledged || entry.IsMtuProbe || entry.IsHandedOver)
            {
                continue;
            }

            packets--;
            for (int frame = 0; frame < entry.FrameCount; frame++)
            {
                // DATAGRAM frames are never sent again (RFC 9221 section 5.2), and these are not lost yet.
                ref readonly SentFrame content = ref sent.InFlight.FrameOf(entry, frame);
                if (content.Type is not (FrameType.Datagram or FrameType.DatagramWithLength))
                {
                    _events.OnFrameLost(space, content);
                }
            }
        }
    }

    private PathRecord? Find(PathId path)
    {
        // A handful of paths: the bound is the connection's, which has connection ids for so many only.
        foreach (PathRecord record in _paths)
        {
            if (record.Recovery.Path == path)
            {
                return record;
            }
        }

        return null;
    }
}
