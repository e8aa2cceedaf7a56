using Gimlet.Signalling;

namespace Gimlet.Tests.Support;

/// <summary>The owner of a signalling session that writes down what happens.</summary>
internal sealed class SessionOwner : ISignallingOwner
{
    public List<SignalMessage> Sent { get; } = [];

    public List<SignalMessage> Received { get; } = [];

    public List<string> News { get; } = [];

    public RegisterMessage DescribeRegistration() => new() { Accept = AcceptMode.Open, Agent = "test" };

    public void Send(SignallingSession session, SignalMessage message) => Sent.Add(message);

    public bool IsDuplicate(SignallingSession session) => false;

    public void ChallengeReceived(SignallingSession session, ChallengeMessage challenge, TimeSpan now) => News.Add("challenge");

    public void Registered(SignallingSession session, RegisteredMessage registered, TimeSpan now) => News.Add("registered");

    public void MessageReceived(SignallingSession session, SignalMessage message, TimeSpan now) => Received.Add(message);

    public void ErrorReceived(SignallingSession session, ErrorMessage error) => News.Add($"error {error.Code}");

    public void SignalIgnored(SignallingSession session, string problem) => News.Add("ignored");

    public void GaveUp(SignallingSession session, string reason) => News.Add($"gave up: {reason}");
}
