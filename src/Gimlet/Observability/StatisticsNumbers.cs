using System.Collections.ObjectModel;

namespace Gimlet.Observability;

/// <summary>The numbers behind <see cref="NodeStatistics"/>. Every field is read and written under the collector's lock.</summary>
internal sealed class StatisticsNumbers
{
    // One entry per cause: nothing that a peer sends makes it longer.
    private readonly long[] _failedByCause = new long[Enum.GetValues<RelayCause>().Length];

    public long CallsOutgoing { get; set; }

    public long CallsIncoming { get; set; }

    public long ConnectionsOpened { get; set; }

    public long ConnectionsAccepted { get; set; }

    public long ConnectionsOpen { get; set; }

    public long PunchesAttempted { get; set; }

    public long PunchesSucceeded { get; set; }

    public long PunchesFailed { get; private set; }

    public long RelayFallbacks { get; set; }

    public long Upgrades { get; set; }

    public long Downgrades { get; set; }

    public long Migrations { get; set; }

    public PortMappingState PortMappingState { get; set; }

    public long PortMappingRenewals { get; set; }

    public DurationRecorder TimeToFirstByte { get; } = new();

    public DurationRecorder TimeToDirect { get; } = new();

    public void AddFailure(RelayCause cause)
    {
        _failedByCause[(int)cause]++;
        PunchesFailed++;
    }

    public ReadOnlyDictionary<string, long> FailuresByCause()
    {
        var byCause = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int cause = 0; cause < _failedByCause.Length; cause++)
        {
            if (_failedByCause[cause] > 0)
            {
                byCause.Add(((RelayCause)cause).ToCauseString(), _failedByCause[cause]);
            }
        }

        return byCause.AsReadOnly();
    }
}
