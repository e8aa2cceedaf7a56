using Gimlet.Quic.Paths;

namespace Gimlet.Quic.Recovery;

/// <content>When something is due without an ACK: loss by age, and PTO (RFC 9002 appendices A.8 and A.9).</content>
internal sealed partial class LossDetection
{
    /// <summary>When <see cref="HandleTimeout"/> is wanted; may be in the past: then at once.</summary>
    public TimeSpan? NextTimeout
    {
        get
        {
            TimeSpan? next = AntiDeadlockTime(out _);
            foreach (PathRecord record in _paths)
            {
                next = Earlier(next, LossTime(record) ?? ProbeTime(record, out _));
            }

            return next;
        }
    }

    /// <summary>Does what is due: first losses, then one PTO.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="probe">Where up to two ack-eliciting packets must be sent.</param>
    /// <returns>Whether a PTO expired. Nothing is due again at once afterwards, but possibly another path's.</returns>
    public bool HandleTimeout(TimeSpan now, out ProbeRequest probe)
    {
        probe = default;
        if (DetectAged(now))
        {
            return false;
        }

        PathRecord? due = null;
        TimeSpan? earliest = null;
        var space = PacketNumberSpace.Initial;
        foreach (PathRecord record in _paths)
        {
            if (LossTime(record) is null && ProbeTime(record, out PacketNumberSpace candidate) is { } time
                && time <= now && (earliest is null || time < earliest))
            {
                earliest = time;
                due = record;
                space = candidate;
            }
        }

        if (due is null)
        {
            if (AntiDeadlockTime(out space) is not { } time || time > now)
            {
                return false;
            }

            due = _paths[0];
        }

        due.Recovery.OnProbeTimeout();
        _timerSetAt = now;

        // Where the probe cannot be sent, or is not, the next one is due a whole period later all the same, not at once.
        for (int i = 0; i < SpaceCount; i++)
        {
            if (due[(PacketNumberSpace)i] is { } sent)
            {
                sent.PtoBase = now;
            }
        }

        probe = new ProbeRequest(space, due.Recovery.Path);
        return true;
    }

    private bool DetectAged(TimeSpan now)
    {
        bool isAny = false;
        foreach (PathRecord record in _paths)
        {
            for (int space = 0; space < SpaceCount; space++)
            {
                if (record[(PacketNumberSpace)space] is { LossTime: { } time } sent && time <= now)
                {
                    DetectLost(now, (PacketNumberSpace)space, sent);
                    isAny = true;
                }
            }
        }

        if (isAny)
        {
            _timerSetAt = now;
        }

        return isAny;
    }

    private static TimeSpan? LossTime(PathRecord record)
    {
        TimeSpan? earliest = null;
        for (int space = 0; space < SpaceCount; space++)
        {
            earliest = Earlier(earliest, record[(PacketNumberSpace)space]?.LossTime);
        }

        return earliest;
    }

    private TimeSpan? ProbeTime(PathRecord record, out PacketNumberSpace space)
    {
        space = PacketNumberSpace.Initial;
        PathRecovery path = record.Recovery;
        if (path.IsAmplificationLimited)
        {
            return null;
        }

        TimeSpan? earliest = null;
        for (int i = 0; i < SpaceCount; i++)
        {
            var candidate = (PacketNumberSpace)i;

            // RFC 9002 section 6.2.1: no PTO for application data "until the handshake is confirmed".
            if (record[candidate] is not { AckElicitingInFlight: > 0 } sent
                || (candidate is PacketNumberSpace.Application && !IsHandshakeConfirmed))
            {
                continue;
            }

            TimeSpan time = sent.PtoBase + Backoff(path, candidate);
            if (earliest is null || time < earliest)
            {
                earliest = time;
                space = candidate;
            }
        }

        return earliest;
    }

    /// <summary>
    /// RFC 9002 section 6.2.2.1: a client that has nothing in flight sends all the same, for the server may have nothing left that it may send.
    /// </summary>
    private TimeSpan? AntiDeadlockTime(out PacketNumberSpace space)
    {
        space = HasHandshakeKeys ? PacketNumberSpace.Handshake : PacketNumberSpace.Initial;
        if (IsPeerAddressValidated || _paths.Count == 0)
        {
            return null;
        }

        for (int i = 0; i < SpaceCount; i++)
        {
            if (HasAckElicitingInFlight((PacketNumberSpace)i))
            {
                return null;
            }
        }

        return _timerSetAt + Backoff(_paths[0].Recovery, space);
    }

    private TimeSpan Backoff(PathRecovery path, PacketNumberSpace space)
        => path.PtoPeriod(space, PeerMaxAckDelay) * (1L << Math.Min(path.PtoCount, _settings.MaxPtoBackoff));

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;
}
