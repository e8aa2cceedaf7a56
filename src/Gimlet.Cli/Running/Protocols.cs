namespace Gimlet.Cli.Running;

/// <summary>The application protocols (ALPN) of the commands.</summary>
internal static class Protocols
{
    /// <summary><c>listen</c>, <c>connect</c>, <c>ping</c>: round trips only.</summary>
    public const string Echo = "gimlet.echo.1";

    /// <summary><c>listen</c>, <c>bench</c>: as many bytes as fit.</summary>
    public const string Bench = "gimlet.bench.1";

    /// <summary><c>pipe</c>: one bidirectional stream, and a receipt from each side.</summary>
    public const string Pipe = "gimlet.pipe.1";
}
