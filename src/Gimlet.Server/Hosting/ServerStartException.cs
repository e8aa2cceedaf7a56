namespace Gimlet.Server;

/// <summary>The server cannot start: a port is taken, a file cannot be read. The message names which.</summary>
public sealed class ServerStartException : Exception
{
    /// <summary>Makes an exception without a message.</summary>
    public ServerStartException()
        : this("The server cannot start.")
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What is wrong.</param>
    public ServerStartException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="innerException">The cause.</param>
    public ServerStartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">What is wrong.</param>
    /// <param name="hint">What would help.</param>
    /// <param name="innerException">The cause.</param>
    public ServerStartException(string message, string hint, Exception innerException)
        : base(message, innerException) => Hint = hint;

    /// <summary>What would help; null when nothing is known to.</summary>
    public string? Hint { get; }
}
