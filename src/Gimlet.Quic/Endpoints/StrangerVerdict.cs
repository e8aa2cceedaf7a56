using Gimlet.Quic.Connections;

namespace Gimlet.Quic.Endpoints;

/// <summary>What to do with a datagram that no connection id leads anywhere.</summary>
internal enum StrangerAction
{
    /// <summary>Nothing; <see cref="StrangerVerdict{T}.Reason"/> is counted.</summary>
    Drop,

    /// <summary>Send back what was written.</summary>
    Answer,

    /// <summary>Begin a server's connection with <see cref="StrangerVerdict{T}.Start"/>; it is counted in already.</summary>
    Accept,

    /// <summary>It is a stateless reset of <see cref="StrangerVerdict{T}.Connection"/>.</summary>
    Reset,
}

/// <summary>The decision on a stranger's datagram.</summary>
/// <typeparam name="T">The connection.</typeparam>
/// <param name="Action">What to do.</param>
/// <param name="Kind">What the answer is, for counting.</param>
/// <param name="Reason">Why it is dropped.</param>
/// <param name="AnswerLength">Of <see cref="StrangerAction.Answer"/>, in bytes.</param>
/// <param name="Start">Of <see cref="StrangerAction.Accept"/>.</param>
/// <param name="Connection">Of <see cref="StrangerAction.Reset"/>.</param>
internal readonly record struct StrangerVerdict<T>(
    StrangerAction Action,
    AnswerKind Kind = AnswerKind.None,
    DropReason Reason = DropReason.None,
    int AnswerLength = 0,
    ServerStart Start = default,
    T? Connection = null)
    where T : class
{
    public static StrangerVerdict<T> Drop(DropReason reason) => new(StrangerAction.Drop, Reason: reason);

    public static StrangerVerdict<T> Answer(AnswerKind kind, int length) => new(StrangerAction.Answer, kind, AnswerLength: length);
}

/// <summary>Kinds of answers without state. The names, in kebab case, are values of the counter <c>gimlet.quic.answers</c>.</summary>
internal enum AnswerKind
{
    None,
    VersionNegotiation,
    Retry,
    Refusal,
    StatelessReset,
}
