namespace Gimlet.NatLab.Cells;

/// <summary>A <c>gimlet</c> process did not do what its contract says. The message holds its command, its events and its log.</summary>
internal sealed class GimletProcessException : Exception
{
    public GimletProcessException(string message) : base(message)
    {
    }

    public GimletProcessException(string message, Exception innerException) : base(message, innerException)
    {
    }

    public GimletProcessException()
    {
    }
}
