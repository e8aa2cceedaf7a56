namespace Gimlet.Tests.Observability;

/// <summary>Meter and activity source belong to the process: what listens to them runs alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Listeners
{
    public const string Name = "listeners";
}
