namespace Gimlet.Quic.Endpoints;

/// <summary>Counts what connections cost before and after their handshake. Safe from any thread.</summary>
internal sealed class Admission
{
    private int _connections;
    private int _halfOpen;

    /// <summary>Connections, with those whose handshake is under way.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Servers' handshakes under way.</summary>
    public int HalfOpen => Volatile.Read(ref _halfOpen);

    /// <summary>
    /// Counts a server's connection in, half-open. <see cref="Abandon"/>, or <see cref="EndHandshake"/> and <see cref="Remove"/>, follow.
    /// </summary>
    /// <returns>What stands against it, or <see cref="AdmissionResult.Admitted"/>.</returns>
    public AdmissionResult TryBeginHandshake(ServerLimits limits)
    {
        if (Interlocked.Increment(ref _halfOpen) > limits.MaxHalfOpen)
        {
            EndHandshake();
            return AdmissionResult.TooManyHalfOpen;
        }

        if (Interlocked.Increment(ref _connections) > limits.MaxConnections)
        {
            Abandon();
            return AdmissionResult.TooManyConnections;
        }

        return AdmissionResult.Admitted;
    }

    /// <summary>The connection that was counted in does not begin after all.</summary>
    public void Abandon()
    {
        EndHandshake();
        Remove();
    }

    /// <summary>The handshake is over, one way or the other.</summary>
    public void EndHandshake() => _ = Interlocked.Decrement(ref _halfOpen);

    /// <summary>Counts a client's connection in: the application's own, so it meets no bound.</summary>
    public void AddClient() => _ = Interlocked.Increment(ref _connections);

    /// <summary>Counts a connection out.</summary>
    public void Remove() => _ = Interlocked.Decrement(ref _connections);
}

/// <summary>Whether a connection may begin.</summary>
internal enum AdmissionResult
{
    Admitted,

    /// <summary>The client should try again: some of the others will end or complete soon.</summary>
    TooManyHalfOpen,

    /// <summary>The client should give up.</summary>
    TooManyConnections,
}
