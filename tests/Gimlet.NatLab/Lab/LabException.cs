namespace Gimlet.NatLab.Lab;

/// <summary>The lab itself failed: a tool refused, a namespace could not be made. Never thrown for what the program under test does.</summary>
internal sealed class LabException : Exception
{
    public LabException(string message) : base(message)
    {
    }

    public LabException(string message, Exception innerException) : base(message, innerException)
    {
    }

    public LabException()
    {
    }
}
