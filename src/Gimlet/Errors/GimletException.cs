namespace Gimlet;

/// <summary>The one exception of this library: a stable <see cref="Kind"/>, what happened, and what would help.</summary>
public sealed class GimletException : Exception
{
    /// <summary>Makes an exception.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="message">What happened, with the value or the evidence.</param>
    /// <param name="hint">What would help; null takes the usual advice for the kind.</param>
    /// <param name="innerException">What lies beneath, if anything.</param>
    public GimletException(GimletErrorKind kind, string message, string? hint = null, Exception? innerException = null)
        : base(message, innerException)
    {
        Kind = kind;
        Hint = hint ?? kind.DefaultHint();
    }

    /// <summary>Makes an exception of kind <see cref="GimletErrorKind.Transport"/>.</summary>
    public GimletException()
        : this(GimletErrorKind.Transport, "The connection failed.")
    {
    }

    /// <summary>Makes an exception of kind <see cref="GimletErrorKind.Transport"/>.</summary>
    /// <param name="message">What happened.</param>
    public GimletException(string message)
        : this(GimletErrorKind.Transport, message)
    {
    }

    /// <summary>Makes an exception of kind <see cref="GimletErrorKind.Transport"/>.</summary>
    /// <param name="message">What happened.</param>
    /// <param name="innerException">What lies beneath.</param>
    public GimletException(string message, Exception innerException)
        : this(GimletErrorKind.Transport, message, null, innerException)
    {
    }

    /// <summary>What went wrong, for programs.</summary>
    public GimletErrorKind Kind { get; }

    /// <summary>What would help, in one sentence.</summary>
    public string Hint { get; }
}
