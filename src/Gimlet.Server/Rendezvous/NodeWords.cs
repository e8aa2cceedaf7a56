using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>
/// Cuts free text of nodes to size before it is kept, logged or passed on: what one node says of itself must fit, together with
/// everything else, into the message that introduces it.
/// </summary>
internal static class NodeWords
{
    private const int MaxCapabilities = 16;
    private const int MaxCapabilityLength = 32;
    private const int MaxEvidenceLength = 512;
    private const int MaxAgentLength = 64;

    public static string[] CleanCapabilities(string?[]? capabilities)
    {
        if (capabilities is null or [])
        {
            return [];
        }

        var kept = new List<string>(Math.Min(capabilities.Length, MaxCapabilities));
        foreach (string? capability in capabilities)
        {
            if (capability is { Length: > 0 and <= MaxCapabilityLength } && kept.Count < MaxCapabilities && !kept.Contains(capability))
            {
                kept.Add(capability);
            }
        }

        return [.. kept];
    }

    public static NatDescription? Clean(NatDescription? nat) => nat is null
        ? null
        : new NatDescription
        {
            Mapping = Behaviour(nat.Mapping),
            Filtering = Behaviour(nat.Filtering),
            Evidence = nat.Evidence is null ? null : Printable(nat.Evidence, MaxEvidenceLength),
        };

    /// <summary>A program's name and version as the log may show it.</summary>
    public static string CleanAgent(string? agent) => agent is null ? "" : Printable(agent, MaxAgentLength);

    /// <summary>Whether the name of an application protocol may be passed on and logged as it is.</summary>
    public static bool IsPlainProtocol(string protocol) =>
        protocol.Length is > 0 and <= SignalProtocol.MaxProtocolLength && protocol.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0;

    private static string Behaviour(string? text) =>
        text is "endpoint-independent" or "address-dependent" or "address-and-port-dependent" ? text : "unknown";

    // A line break in a log line would be a line of the node's choosing.
    private static string Printable(string text, int most) => string.Create(Math.Min(text.Length, most), text, static (span, source) =>
    {
        for (int i = 0; i < span.Length; i++)
        {
            span[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
        }
    });
}
