namespace Gimlet.Cli.Running;

/// <summary>The application protocols (ALPN) of the commands.</summary>
internal static class Protocols
{
    /// <summary><c>listen</c>, <c>connect</c>, <c>ping</c>: round trips only.</summary>
    public const string Echo = "gimlet.echo.1";

    /// <summary>All that a node of the command line may be dialled for, unless a command says otherwise.</summary>
    public static readonly string[] All = [Echo];
}
