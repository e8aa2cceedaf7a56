namespace Gimlet.Cli.Running;

/// <summary>What the process ends with, the one table from error kinds to codes.</summary>
internal static class ExitCodes
{
    /// <summary>It did what was asked.</summary>
    public const int Success = 0;

    /// <summary>Anything that has no code of its own.</summary>
    public const int Other = 1;

    /// <summary>The code of a kind of error.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="isDirectRequired">Only a direct path would have done, so a side that takes part in none is the reason why there is none.</param>
    public static int Of(GimletErrorKind kind, bool isDirectRequired) => kind switch
    {
        GimletErrorKind.BadUsage => 2,
        GimletErrorKind.ServerUnreachable => 3,
        GimletErrorKind.PeerOffline => 4,
        GimletErrorKind.Refused or GimletErrorKind.RendezvousRejected => 5,
        GimletErrorKind.TimedOut or GimletErrorKind.ReflexTimeout or GimletErrorKind.PeerNotReachable => 6,
        GimletErrorKind.PunchFailed or GimletErrorKind.RendezvousNoRelay => 7,
        GimletErrorKind.Unsupported when isDirectRequired => 7,
        GimletErrorKind.LocalFault => 8,
        _ => Other,
    };
}
