namespace Gimlet.Quic.Tests.Simulation.Support;

/// <summary>A story that did not come to its end, or an endpoint that does not rest.</summary>
internal sealed class SimulationException : Exception
{
    public SimulationException()
    {
    }

    public SimulationException(string message)
        : base(message)
    {
    }

    public SimulationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
