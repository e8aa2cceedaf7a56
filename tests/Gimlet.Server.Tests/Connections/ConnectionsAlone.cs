namespace Gimlet.Server.Tests.Connections;

/// <summary>
/// Tests of whole nodes run one after the other and beside nobody else: a path that stands still for a fifth of a second because the processor is busy with other tests
/// is left, as it should be, and these tests look at which path is used.
/// </summary>
[CollectionDefinition(nameof(ConnectionsAlone), DisableParallelization = true)]
public sealed class ConnectionsAlone;
