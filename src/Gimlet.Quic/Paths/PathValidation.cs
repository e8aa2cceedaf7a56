using System.Runtime.InteropServices;

namespace Gimlet.Quic.Paths;

/// <summary>
/// The challenge side of path validation (RFC 9000 section 8.2) for one path: does the peer answer there, and does the path carry datagrams of
/// 1200 bytes? Where the first challenge could not be full-size, because of the anti-amplification limit, another validation with a full-size one
/// follows on its own.
/// </summary>
/// <remarks>
/// RFC 9000 section 8.2.3: "A PATH_RESPONSE frame received on any network path validates the path on which the PATH_CHALLENGE was sent." So a
/// response is offered to the validations of all paths.
/// </remarks>
internal sealed class PathValidation
{
    /// <summary>
    /// How many challenges are remembered, so that a late answer counts. One run sends three to the address and three of full size; the rest is
    /// for a caller that adds some to packets it sends anyway.
    /// </summary>
    public const int MaxRemembered = 8;

    // Challenges go out at 0, 1/6 and 1/2 of the timeout of three PTOs: the pauses double, and the last has 1.5 PTOs for its answer. RFC 9000
    // section 8.2.1 does not want more of them than a new connection would send Initial packets: that would be one, and two more after a PTO.
    private const int FirstPauseDivisor = 6;

    private readonly Action<Span<byte>> _random;
    private readonly Challenge[] _challenges = new Challenge[MaxRemembered];
    private int _remembered;
    private int _oldest;
    private TimeSpan _timeout;
    private TimeSpan _deadline;
    private TimeSpan _nextChallenge;
    private TimeSpan _pause;
    private bool _isDue;

    /// <summary>Begins without a validation running.</summary>
    /// <param name="random">Fills a span with random bytes.</param>
    public PathValidation(Action<Span<byte>> random) => _random = random;

    /// <summary>The peer answered: it is there. False again when the path then turns out not to carry 1200 bytes.</summary>
    public bool IsValidated { get; private set; }

    /// <summary>An answer is waited for; also when the address is validated and its size is not.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>No answer came in time. The path must not be used.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>The challenge that was answered went out in a datagram of at least 1200 bytes.</summary>
    public bool IsFullSizeProven { get; private set; }

    /// <summary>When the validation fails, or null.</summary>
    public TimeSpan? Deadline => IsRunning ? _deadline : null;

    /// <summary>When <see cref="HandleTimeout"/> is wanted, or null.</summary>
    public TimeSpan? NextTimeout => IsRunning ? (!_isDue && _nextChallenge < _deadline ? _nextChallenge : _deadline) : null;

    /// <summary>Begins, or begins again: nothing of before counts any more.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="timeout">
    /// RFC 9000 section 8.2.4: "a value of three times the larger of the current PTO or the PTO for the new path (using kInitialRtt, as defined
    /// in [QUIC-RECOVERY]) is RECOMMENDED."
    /// </param>
    public void Start(TimeSpan now, TimeSpan timeout)
    {
        Reset();
        _timeout = timeout;
        BeginRun(now);
    }

    /// <summary>Whether a challenge is to be sent now, or as soon as the limits of sending permit.</summary>
    public bool IsChallengeDue(TimeSpan now) => IsRunning && (_isDue || now >= _nextChallenge) && now < _deadline;

    /// <summary>Makes the data of a PATH_CHALLENGE frame that is sent now.</summary>
    /// <param name="now">The clock.</param>
    /// <param name="isFullSize">Whether its datagram has at least 1200 bytes.</param>
    public ulong NextChallenge(TimeSpan now, bool isFullSize)
    {
        // RFC 9000 section 8.2.1: "The endpoint MUST use unpredictable data in every PATH_CHALLENGE frame so that it can associate the peer's
        // response with the corresponding PATH_CHALLENGE."
        ulong data = 0;
        _random(MemoryMarshal.AsBytes(new Span<ulong>(ref data)));
        if (_remembered == MaxRemembered)
        {
            _oldest = (_oldest + 1) % MaxRemembered;
            _remembered--;
        }

        _challenges[(_oldest + _remembered) % MaxRemembered] = new Challenge(data, isFullSize);
        _remembered++;
        _isDue = false;
        _nextChallenge = now + _pause;
        _pause *= 2;
        return data;
    }

    /// <summary>A PATH_RESPONSE came, on whichever path.</summary>
    /// <returns>
    /// True when it answers a challenge of ours on this path and so proved something: read <see cref="IsValidated"/> and
    /// <see cref="IsFullSizeProven"/>. RFC 9000 section 19.18 leaves it to us what to do with others: nothing, for it may be a late one.
    /// </returns>
    public bool OnResponse(TimeSpan now, ulong data)
    {
        if (!IsRunning)
        {
            return false;
        }

        for (int i = 0; i < _remembered; i++)
        {
            ref Challenge challenge = ref _challenges[(_oldest + i) % MaxRemembered];
            if (challenge.Data != data || challenge.IsAnswered)
            {
                continue;
            }

            challenge = challenge with { IsAnswered = true };
            if (challenge.IsFullSize)
            {
                IsValidated = true;
                IsFullSizeProven = true;
                IsRunning = false;
            }
            else if (!IsValidated)
            {
                // RFC 9000 section 8.2.3: "the endpoint MUST initiate another path validation with an expanded datagram to verify that the path
                // supports the required MTU." Full-size challenges that are under way may still be answered.
                IsValidated = true;
                BeginRun(now);
            }

            return true;
        }

        return false;
    }

    /// <summary>Fails the validation when its time is over, or makes the next challenge due.</summary>
    public void HandleTimeout(TimeSpan now)
    {
        if (!IsRunning)
        {
            return;
        }

        _isDue |= now >= _nextChallenge;
        if (now >= _deadline)
        {
            IsRunning = false;
            HasFailed = true;

            // RFC 9000 section 14: "QUIC MUST NOT be used if the network path cannot support a maximum datagram size of at least 1200 bytes."
            IsValidated = false;
        }
    }

    /// <summary>Forgets all: the path's other end changed, or it is not of interest any more.</summary>
    public void Reset()
    {
        IsValidated = false;
        IsRunning = false;
        HasFailed = false;
        IsFullSizeProven = false;
        _remembered = 0;
        _oldest = 0;
        _isDue = false;
    }

    private void BeginRun(TimeSpan now)
    {
        IsRunning = true;
        _isDue = true;
        _nextChallenge = now;
        _deadline = now + _timeout;
        _pause = _timeout / FirstPauseDivisor;
    }

    private readonly record struct Challenge(ulong Data, bool IsFullSize, bool IsAnswered = false);
}
