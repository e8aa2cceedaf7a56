namespace Gimlet.Server.Rendezvous;

/// <summary>
/// The hosts a server answers for. A registration signs the host that the node dialled; a server that accepted any host would let
/// another server pass its challenge on and register in the node's name. Thread-safe.
/// </summary>
internal interface IServedNames
{
    /// <summary>True when this server answers for the host and port.</summary>
    /// <param name="authority"><c>host:port</c> in the form of <see cref="Identity.Statement.Authority"/>.</param>
    bool Serves(string authority);

    /// <summary>What to do when it does not, for the error's detail.</summary>
    string Remedy { get; }
}
