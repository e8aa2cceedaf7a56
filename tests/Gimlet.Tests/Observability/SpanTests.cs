using System.Diagnostics;
using Gimlet.Observability;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Observability;

[Collection(Listeners.Name)]
public sealed class SpanTests : IDisposable
{
    private static readonly CallId Id = new([.. Enumerable.Range(0, 16).Select(i => (byte)i)]);

    private readonly StatisticsCollector _collector = new();
    private readonly List<Activity> _stopped = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public void Dispose() => _collector.Dispose();

    [Fact]
    public void A_call_is_a_span_with_its_parts()
    {
        using ActivityListener listener = Listen();
        CallRecord call = Begin(CallDirection.Outgoing);
        call.Introduced();
        call.PunchStarted();
        call.HandshakeStarted();
        call.HandshakeStarted();
        call.HandshakeEnded(null);
        call.RelayWorks(true);
        call.PunchFailed(RelayCause.AnswersLost);
        call.End(null, PathKind.Relay, RelayCause.AnswersLost);
        call.End(GimletErrorKind.TimedOut, null, RelayCause.AnswersLost);

        Assert.Equal(["gimlet.introduction", "gimlet.handshake", "gimlet.punch", "gimlet.call"], _stopped.Select(a => a.OperationName));
        Activity span = _stopped[^1];
        Assert.All(_stopped[..^1], a => Assert.Equal((span.TraceId, span.SpanId), (a.TraceId, a.ParentSpanId)));
        Assert.Equal(ActivityKind.Client, span.Kind);
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
        Assert.Equal(
            new Dictionary<string, object?>
            {
                ["gimlet.call.id"] = "000102030405060708090a0b0c0d0e0f",
                ["gimlet.peer"] = Keys.Small.Id.ToShortString(),
                ["gimlet.direction"] = "outgoing",
                ["gimlet.policy"] = "relay-then-direct",
                ["gimlet.outcome"] = "ok",
                ["gimlet.path"] = "relay",
                ["gimlet.cause"] = "answers-lost",
            },
            span.TagObjects.ToDictionary());
        Activity punch = _stopped[2];
        Assert.Equal((ActivityStatusCode.Error, "answers-lost"), (punch.Status, punch.GetTagItem("gimlet.cause")));
    }

    [Fact]
    public void A_call_that_fails_says_why_and_ends_its_parts()
    {
        using ActivityListener listener = Listen();
        CallRecord call = Begin(CallDirection.Incoming);
        call.Introduced();
        call.PunchSkipped(RelayCause.PeerUnsupported);
        call.HandshakeStarted();
        call.End(GimletErrorKind.TimedOut, null, RelayCause.PeerUnsupported);
        Assert.Equal(["gimlet.introduction", "gimlet.handshake", "gimlet.call"], _stopped.Select(a => a.OperationName));
        Activity span = _stopped[^1];
        Assert.Equal(ActivityKind.Server, span.Kind);
        Assert.Equal((ActivityStatusCode.Error, "timed-out", "timed-out"), (span.Status, span.GetTagItem("error.type"), span.GetTagItem("gimlet.outcome")));
        Assert.Null(span.GetTagItem("gimlet.path"));
        ActivityEvent skipped = Assert.Single(span.Events);
        Assert.Equal("gimlet.punch_skipped", skipped.Name);
        Assert.Equal("peer-unsupported", skipped.Tags.Single().Value);
    }

    [Fact]
    public void A_handshake_that_fails_says_why()
    {
        using ActivityListener listener = Listen();
        CallRecord call = Begin(CallDirection.Outgoing);
        call.HandshakeStarted();
        call.HandshakeEnded(GimletErrorKind.Transport);
        call.End(GimletErrorKind.Transport, null, RelayCause.StillTrying);
        Activity handshake = _stopped.Single(a => a.OperationName == "gimlet.handshake");
        Assert.Equal((ActivityStatusCode.Error, "transport"), (handshake.Status, handshake.GetTagItem("error.type")));
    }

    [Fact]
    public void A_part_that_begins_after_the_end_is_ended()
    {
        using ActivityListener listener = Listen();
        CallRecord call = Begin(CallDirection.Outgoing);
        call.End(null, PathKind.Direct, RelayCause.NotRelayed);
        call.HandshakeStarted();
        call.PunchStarted();
        Assert.Equal(["gimlet.introduction", "gimlet.call"], _stopped.Select(a => a.OperationName));
    }

    [Fact]
    public void A_dial_belongs_to_the_span_of_the_application_and_a_peers_call_to_none()
    {
        using ActivityListener listener = Listen("test");
        using var source = new ActivitySource("test");
        using Activity outer = source.StartActivity("outer")!;
        CallRecord dial = Begin(CallDirection.Outgoing);
        Assert.Same(outer, Activity.Current);
        CallRecord incoming = Begin(CallDirection.Incoming);
        Assert.Same(outer, Activity.Current);
        dial.Introduced();
        dial.PunchStarted();
        dial.PunchSucceeded();
        Assert.Same(outer, Activity.Current);
        dial.End(null, PathKind.Direct, RelayCause.NotRelayed);
        incoming.End(null, PathKind.Direct, RelayCause.NotRelayed);
        Assert.Same(outer, Activity.Current);
        Activity[] calls = [.. _stopped.Where(a => a.OperationName == "gimlet.call")];
        Assert.Equal(outer.SpanId, calls[0].ParentSpanId);
        Assert.Equal(default, calls[1].ParentSpanId);
        Assert.NotEqual(outer.TraceId, calls[1].TraceId);
    }

    [Fact]
    public void The_span_of_another_thread_stays_its_own()
    {
        using ActivityListener listener = Listen();
        CallRecord call = Begin(CallDirection.Outgoing);
        var ambient = new Activity("ambient");
        Activity? after = null;
        var thread = new Thread(() =>
        {
            _ = ambient.Start();
            call.Introduced();
            call.End(null, PathKind.Direct, RelayCause.NotRelayed);
            after = Activity.Current;
            ambient.Stop();
        });
        thread.Start();
        thread.Join();
        Assert.Same(ambient, after);
    }

    [Fact]
    public void Without_a_listener_nothing_is_started_and_nothing_is_allocated()
    {
        Assert.False(CallSpan.Start(Id, Keys.Small.Id, CallDirection.Outgoing, "relay-then-direct").IsStarted);
        Allocations.AssertNone(static () =>
        {
            CallSpan span = CallSpan.Start(Id, Keys.Small.Id, CallDirection.Outgoing, "relay-then-direct");
            CallSpan child = span.StartChild(CallSpan.PunchName);
            span.AddEvent("gimlet.punch_skipped", RelayCause.AnswersLost);
            child.Fail(RelayCause.AnswersLost);
            child.Fail(GimletErrorKind.Transport);
            span.End(null, PathKind.Direct, RelayCause.NotRelayed);
        });
    }

    [Fact]
    public void What_is_not_sampled_has_no_parts()
    {
        using ActivityListener listener = Listen(result: ActivitySamplingResult.None);
        CallRecord call = Begin(CallDirection.Outgoing);
        call.Introduced();
        call.PunchStarted();
        call.End(null, PathKind.Direct, RelayCause.NotRelayed);
        Assert.Empty(_stopped);
    }

    private CallRecord Begin(CallDirection direction) => _collector.BeginCall(Id, Keys.Small.Id, direction, "relay-then-direct");

    private ActivityListener Listen(string? more = null, ActivitySamplingResult result = ActivitySamplingResult.AllData)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Gimlet" || source.Name == more,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => result,
            ActivityStopped = activity =>
            {
                if (activity.Source.Name == "Gimlet" && Environment.CurrentManagedThreadId == _thread)
                {
                    _stopped.Add(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
