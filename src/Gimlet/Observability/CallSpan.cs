using System.Diagnostics;

namespace Gimlet.Observability;

/// <summary>
/// The span of a call (<c>gimlet.call</c>) or of a part of it, of the activity source <c>Gimlet</c>. Without a listener it is empty and costs nothing: no text
/// is made, nothing is allocated. The ambient <see cref="Activity.Current"/> is left as it was: a node's work runs on threads that serve many calls.
/// </summary>
internal readonly struct CallSpan
{
    public const string SourceName = "Gimlet";
    public const string CallName = "gimlet.call";
    public const string IntroductionName = "gimlet.introduction";
    public const string PunchName = "gimlet.punch";
    public const string HandshakeName = "gimlet.handshake";

    private static readonly ActivitySource Source = new(SourceName);

    private readonly Activity? _activity;

    private CallSpan(Activity? activity) => _activity = activity;

    /// <summary>True where somebody listens to it.</summary>
    public bool IsStarted => _activity is not null;

    /// <summary>Starts the span of a call. A dial belongs to the span in which the application dialled; a peer's call to none.</summary>
    /// <param name="call">The call.</param>
    /// <param name="peer">The other side.</param>
    /// <param name="direction">Who calls.</param>
    /// <param name="policy">The path policy.</param>
    public static CallSpan Start(CallId call, PeerId peer, CallDirection direction, string policy)
    {
        if (!Source.HasListeners())
        {
            return default;
        }

        Activity? ambient = Activity.Current;
        bool outgoing = direction == CallDirection.Outgoing;
        if (!outgoing)
        {
            Activity.Current = null;
        }

        try
        {
            Activity? activity = Source.StartActivity(CallName, outgoing ? ActivityKind.Client : ActivityKind.Server);
            if (activity is { IsAllDataRequested: true })
            {
                _ = activity.SetTag("gimlet.call.id", call.ToString())
                    .SetTag("gimlet.peer", peer.ToShortString())
                    .SetTag("gimlet.direction", outgoing ? "outgoing" : "incoming")
                    .SetTag("gimlet.policy", policy);
            }

            return new CallSpan(activity);
        }
        finally
        {
            Activity.Current = ambient;
        }
    }

    /// <summary>Starts a part; empty where this span is.</summary>
    /// <param name="name">Its name.</param>
    public CallSpan StartChild(string name)
    {
        if (_activity is null)
        {
            return default;
        }

        Activity? ambient = Activity.Current;
        try
        {
            return new CallSpan(Source.StartActivity(name, ActivityKind.Internal, _activity.Context));
        }
        finally
        {
            Activity.Current = ambient;
        }
    }

    /// <summary>Notes something that has no length.</summary>
    /// <param name="name">What.</param>
    /// <param name="cause">Why.</param>
    public void AddEvent(string name, RelayCause cause)
    {
        if (_activity is { IsAllDataRequested: true, IsStopped: false })
        {
            _ = _activity.AddEvent(new ActivityEvent(name, tags: new ActivityTagsCollection { { GimletMeter.CauseTag, cause.ToCauseString() } }));
        }
    }

    /// <summary>Ends a part that came to nothing.</summary>
    /// <param name="cause">Why.</param>
    public void Fail(RelayCause cause)
    {
        if (_activity is { IsStopped: false })
        {
            _ = _activity.SetTag(GimletMeter.CauseTag, cause.ToCauseString()).SetStatus(ActivityStatusCode.Error, cause.Explanation());
            Stop();
        }
    }

    /// <summary>Ends a part that failed.</summary>
    /// <param name="error">Why.</param>
    public void Fail(GimletErrorKind error)
    {
        if (_activity is { IsStopped: false })
        {
            _ = _activity.SetTag("error.type", error.ToKindString()).SetStatus(ActivityStatusCode.Error);
            Stop();
        }
    }

    /// <summary>Ends the call.</summary>
    /// <param name="error">Why it failed; null where it did not.</param>
    /// <param name="path">The path in use; null where there is none.</param>
    /// <param name="cause">Why it is not direct.</param>
    public void End(GimletErrorKind? error, PathKind? path, RelayCause cause)
    {
        if (_activity is not { IsStopped: false })
        {
            return;
        }

        _ = _activity.SetTag("gimlet.outcome", error is { } failed ? failed.ToKindString() : "ok").SetTag(GimletMeter.CauseTag, cause.ToCauseString());
        if (path is { } kind)
        {
            _ = _activity.SetTag(GimletMeter.PathTag, GimletMeter.Text(kind));
        }

        if (error is { } why)
        {
            Fail(why);
        }
        else
        {
            Stop();
        }
    }

    /// <summary>Ends a call that was given up: no path, no error.</summary>
    public void Cancel()
    {
        if (_activity is { IsStopped: false })
        {
            _ = _activity.SetTag("gimlet.outcome", "cancelled");
            Stop();
        }
    }

    /// <summary>Ends the span; does nothing where it is empty or over.</summary>
    public void Stop()
    {
        if (_activity is not { IsStopped: false })
        {
            return;
        }

        // Stopping restores what was current at the start, on whatever thread this is.
        Activity? ambient = Activity.Current;
        _activity.Stop();
        Activity.Current = ambient;
    }
}
