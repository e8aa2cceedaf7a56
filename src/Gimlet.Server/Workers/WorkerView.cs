using System.Net;
using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>A worker at one moment, for the operator.</summary>
/// <param name="Id">Its name.</param>
/// <param name="State">connected, waiting, paired or left.</param>
/// <param name="Group">Its group.</param>
/// <param name="Peer">Its proven peer id.</param>
/// <param name="Partner">Whom it is paired with.</param>
/// <param name="Remote">Where its WebSocket comes from, or came from.</param>
/// <param name="ReportedIp">What it reported of itself.</param>
/// <param name="Endpoint">Its UDP endpoint; empty until reported.</param>
/// <param name="IsConnected">Whether its WebSocket is there.</param>
internal readonly record struct WorkerView(
    string Id, string State, string? Group, PeerId? Peer, string? Partner, TransportAddress Remote, IPAddress? ReportedIp, TransportAddress Endpoint, bool IsConnected);
