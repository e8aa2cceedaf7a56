namespace Gimlet.Server;

/// <summary>How the workers' rendezvous behaves.</summary>
public sealed record GimletWorkersOptions
{
    // As AccessRule.Token has it.
    private const int LeastTokenLength = 16;

    /// <summary>Who is introduced to whom; <see cref="WorkerPairing.NextWaiting"/>.</summary>
    public IWorkerPairing Pairing { get; init; } = WorkerPairing.NextWaiting;

    /// <summary>The token that workers send (<c>Authorization: Bearer</c>), at least 16 characters; null: everyone who reaches the server may register.</summary>
    public string? Token { get; init; }

    /// <summary>
    /// The token that opens the routes below <c>/api</c> and <c>/debug</c> to callers who are not on the server's own machine, at least 16 characters; null:
    /// nobody else's.
    /// </summary>
    public string? OperatorToken { get; init; }

    /// <summary>What workers may ask of the server.</summary>
    public WorkerLimits Limits { get; init; } = new();

    /// <summary>Without the tokens: options are printed by people who look for something else.</summary>
    public override string ToString() => $"{nameof(GimletWorkersOptions)} {{ {nameof(Limits)} = {Limits} }}";

    /// <summary>Checks that the values make sense.</summary>
    /// <exception cref="ArgumentException">One does not; the message names it and what would be right.</exception>
    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Pairing);
        ArgumentNullException.ThrowIfNull(Limits);
        Check("workers'", Token);
        Check("operator's", OperatorToken);
        if (Limits.FindProblem() is { } problem)
        {
            throw new ArgumentException(problem);
        }
    }

    private static void Check(string whose, string? token)
    {
        if (token is not null && token.Trim().Length < LeastTokenLength)
        {
            throw new ArgumentException($"The {whose} token has {token.Trim().Length} characters; it needs at least {LeastTokenLength} random ones to be a secret.");
        }
    }
}
