namespace Gimlet.Cli.Tests.Support;

/// <summary>A test that runs <c>gimlet</c>: a folder of its own, and processes that end with it.</summary>
public abstract class CliTest : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _processes = [];

    internal TemporaryFolder Folder { get; } = new();

    internal Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable process in _processes)
        {
            await process.DisposeAsync();
        }

        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts <c>gimlet ARGUMENTS --json</c>.</summary>
    internal GimletProcess Start(params IReadOnlyList<string> arguments)
    {
        var process = GimletProcess.Start(Folder, Environment, [.. arguments, "--json"]);
        _processes.Add(process);
        return process;
    }

    /// <summary>Starts <c>gimlet pipe ARGUMENTS --json</c>.</summary>
    internal PipeProcess StartPipe(params IReadOnlyList<string> arguments) => StartData(["pipe", .. arguments, "--ephemeral", "--json"]);

    /// <summary>Starts <c>gimlet ARGUMENTS</c>, whose standard streams are data.</summary>
    internal PipeProcess StartData(params IReadOnlyList<string> arguments)
    {
        var process = PipeProcess.Start(Folder, Environment, arguments);
        _processes.Add(process);
        return process;
    }

    /// <summary>Runs <c>gimlet ARGUMENTS --json</c> to its end.</summary>
    internal Task<CliResult> RunAsync(params IReadOnlyList<string> arguments) => Start(arguments).WaitForExitAsync();

    /// <summary>Runs <c>gimlet ARGUMENTS</c> to its end, as people do.</summary>
    internal Task<CliResult> RunForPeopleAsync(params IReadOnlyList<string> arguments)
    {
        var process = GimletProcess.Start(Folder, Environment, arguments);
        _processes.Add(process);
        return process.WaitForExitAsync();
    }

    /// <summary>Starts a server on free loopback ports.</summary>
    internal async Task<(string Url, string Stun, GimletProcess Process)> ServeAsync(params IReadOnlyList<string> more)
    {
        GimletProcess process = Start(["serve", "--http", "127.0.0.1:0", "--stun", "127.0.0.1:0", .. more]);
        CliEvent ready = await process.WaitForAsync("ready");
        return (ready.Text("http"), ready.Text("stun"), process);
    }

    /// <summary>Starts a listener with a key of its own.</summary>
    internal async Task<(string Peer, string Ticket, GimletProcess Process)> ListenAsync(string server, params IReadOnlyList<string> more)
    {
        GimletProcess process = Start(["listen", "--server", server, "--ephemeral", .. more]);
        CliEvent listening = await process.WaitForAsync("listening");
        return (listening.Text("peer"), listening.Text("ticket"), process);
    }

    /// <summary>An id that nobody has.</summary>
    internal static string Nobody { get; } = MakeNobody();

    /// <summary>It failed as it should: the code, the kind, one event, and nothing else on standard output.</summary>
    internal static CliEvent AssertFailed(CliResult result, int code, string kind)
    {
        Assert.True(code == result.ExitCode, $"ended with {result.ExitCode} instead of {code}: {result.Output} {result.Error}");
        CliEvent error = result.Event("error");
        Assert.Equal(["event", "kind", "message", "hint"], error.FieldNames);
        Assert.Equal(kind, error.Text("kind"));
        Assert.NotEmpty(error.Text("hint"));
        return error;
    }

    private static string MakeNobody()
    {
        using var identity = NodeIdentity.Create();
        return identity.Id.ToString();
    }
}
