using Gimlet.Signalling;

namespace Gimlet.Hosting;

/// <summary>What a start waits for, and what went wrong on the way.</summary>
internal sealed class StartGate
{
    private readonly TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reflexive = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _gathered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<Uri> _refusals = [];
    private readonly int _servers;
    private readonly TaskCompletionSource _classified = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Makes a gate.</summary>
    /// <param name="servers">With none there is nothing to register with.</param>
    public StartGate(int servers)
    {
        _servers = servers;
        if (servers == 0)
        {
            _registered.SetResult();
        }
    }

    /// <summary>Some server knows the node; faults when all of them have refused it for good.</summary>
    public Task Registered => _registered.Task;

    /// <summary>A reflexive address is known, or it is known that there is none.</summary>
    public Task Reflexive => _reflexive.Task;

    /// <summary>Every STUN server has answered or failed, and there is some public address.</summary>
    public Task Gathered => _gathered.Task;

    /// <summary>The NAT is classified.</summary>
    public Task Classified => _classified.Task;

    /// <summary>The last thing that went wrong with a server.</summary>
    public string? LastProblem { get; private set; }

    public void NoteRegistered() => _ = _registered.TrySetResult();

    public void NoteProblem(string problem) => LastProblem = problem;

    /// <summary>A server named an error: some will not change by trying again.</summary>
    public void NoteRefused(string code, string detail, Uri server)
    {
        LastProblem = $"{server}: {code}: {detail}";
        if (code is ErrorCode.Unauthorised or ErrorCode.BadSignature or ErrorCode.WrongHost && _refusals.Add(server) && _refusals.Count == _servers)
        {
            string? hint = code switch
            {
                ErrorCode.WrongHost => "Use the name that the server was started with (--name), or start it with the name you use.",
                ErrorCode.Unauthorised => "The server admits only some nodes: ask its operator for the token, or to be put on the list.",
                _ => null,
            };
            _ = _registered.TrySetException(new GimletException(GimletErrorKind.RendezvousRejected, $"The server {server} refused this node: {code}: {detail}", hint));
        }
    }

    public void NoteGathering(bool complete, bool reflexive)
    {
        if (reflexive)
        {
            _ = _reflexive.TrySetResult();
        }

        if (complete)
        {
            _ = _gathered.TrySetResult();
        }
    }

    public void NoteClassified() => _ = _classified.TrySetResult();
}
