namespace Gimlet.Connections;

/// <summary>The application error codes with which a node closes connections (docs/protocol.md section 7).</summary>
internal static class CloseCodes
{
    /// <summary>The application closed.</summary>
    public const long Normal = 0;

    /// <summary>Another connection between the two takes its place: both had dialled.</summary>
    public const long Superseded = 1;

    /// <summary>No application takes it: too many wait already.</summary>
    public const long NobodyAccepts = 2;

    /// <summary>The peer's process is another one than it was.</summary>
    public const long Restarted = 3;

    /// <summary>The key is not the one of the peer that called.</summary>
    public const long WrongPeer = 4;

    /// <summary>No path is left that both sides' policies allow.</summary>
    public const long NoCommonPath = 5;

    /// <summary>No call of the peer announced it: each call has one connection, for its protocol.</summary>
    public const long NotCalled = 6;
}
