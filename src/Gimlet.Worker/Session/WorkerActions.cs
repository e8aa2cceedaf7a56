using System.Net;

namespace Gimlet.Worker.Session;

/// <summary>What a session wants done. The host does it in order.</summary>
internal abstract record WorkerAction;

/// <summary>A text frame for the rendezvous.</summary>
internal sealed record SendMessage(byte[] Frame) : WorkerAction;

/// <summary>Dial a peer id through the servers; answered by <see cref="WorkerSession.HandleDialled"/> or <see cref="WorkerSession.HandleDialFailed"/>.</summary>
internal sealed record DialPeer(int Attempt, PeerId Peer) : WorkerAction;

/// <summary>Dial an address without a server; answered the same way.</summary>
internal sealed record DialAddress(int Attempt, IPEndPoint Address) : WorkerAction;

/// <summary>Nobody waits for a dial any more. What it still brings is answered with <see cref="CloseConnection"/>.</summary>
internal sealed record CancelDial(int Attempt) : WorkerAction;

/// <summary>The connection is the peer's: hand it to the application.</summary>
internal sealed record AdoptConnection(int Connection, string WorkerId, PeerId? PeerId) : WorkerAction;

/// <summary>The connection is of no use.</summary>
internal sealed record CloseConnection(int Connection, string Reason) : WorkerAction;

/// <summary>Find out whether the other end of a connection still answers; answered by <see cref="WorkerSession.HandleProbed"/>.</summary>
internal sealed record ProbeConnection(int Connection) : WorkerAction;

/// <summary>There is nothing more to say to the rendezvous.</summary>
internal sealed record LeaveRendezvous : WorkerAction;

/// <summary>News for the application.</summary>
internal sealed record TellNews(WorkerNews News) : WorkerAction;
