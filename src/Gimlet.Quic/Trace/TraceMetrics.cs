using System.Runtime.InteropServices;

namespace Gimlet.Quic.Trace;

/// <summary>Recovery's numbers of one path; null where there is none yet.</summary>
/// <param name="SmoothedRtt">RFC 9002 section 5.3.</param>
/// <param name="MinRtt">RFC 9002 section 5.2.</param>
/// <param name="LatestRtt">RFC 9002 section 5.1.</param>
/// <param name="RttVariance">RFC 9002 section 5.3.</param>
/// <param name="PtoCount">Probe timeouts in a row.</param>
/// <param name="CongestionWindow">In bytes.</param>
/// <param name="BytesInFlight">In bytes.</param>
/// <param name="SlowStartThreshold">In bytes.</param>
/// <param name="PacingRate">In bits per second.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TraceMetrics(
    TimeSpan? SmoothedRtt = null,
    TimeSpan? MinRtt = null,
    TimeSpan? LatestRtt = null,
    TimeSpan? RttVariance = null,
    int? PtoCount = null,
    long? CongestionWindow = null,
    long? BytesInFlight = null,
    long? SlowStartThreshold = null,
    long? PacingRate = null);
