namespace Gimlet.Quic.Recovery;

/// <summary>A path in <see cref="LossDetection"/>, with what is in flight on it. A space that was never used on it takes no memory.</summary>
internal sealed class PathRecord
{
    private readonly RecoverySettings _settings;
    private readonly PathSpace?[] _spaces = new PathSpace?[LossDetection.SpaceCount];

    public PathRecord(PathRecovery recovery, RecoverySettings settings)
    {
        Recovery = recovery;
        _settings = settings;
    }

    public PathRecovery Recovery { get; }

    /// <summary>What is remembered of a space here; null when nothing was sent in it.</summary>
    public PathSpace? this[PacketNumberSpace space] => _spaces[(int)space];

    /// <summary>The same, made when it is not there.</summary>
    public PathSpace GetOrAdd(PacketNumberSpace space) => _spaces[(int)space] ??= new PathSpace(Recovery, _settings);

    public void Remove(PacketNumberSpace space) => _spaces[(int)space] = null;
}
