using Gimlet.Quic.Tls;

namespace Gimlet.Quic.Tests.Tls.Support;

/// <summary>Assertions about failures.</summary>
internal static class Expect
{
    /// <summary>The name of an alert, or of a QUIC error.</summary>
    public static string NameOf(TlsError? error) => error switch
    {
        null => "none",
        { Alert: { } alert } => alert.ToString(),
        { Code: 0x0a } => "PROTOCOL_VIOLATION",
        { Code: 0x0d } => "CRYPTO_BUFFER_EXCEEDED",
        _ => $"0x{error.Code:x}",
    };

    /// <summary>A failure, told by an event, with a code that fits and words for people; nothing counts as done.</summary>
    public static void Failure(string name, TlsEndpoint endpoint, List<TlsEvent> events)
    {
        Assert.True(name == NameOf(endpoint.Error), $"expected {name}, got {endpoint.Error?.ToString() ?? "no error"}");
        Assert.NotEmpty(endpoint.Error!.Reason);
        Assert.Equal(endpoint.Error.Alert is { } alert ? 0x100ul + (byte)alert : endpoint.Error.Code, endpoint.Error.Code);
        Assert.False(endpoint.IsComplete);
        Assert.Equal(TlsEventKind.Failed, events[^1].Kind);
        Assert.Single(events, e => e.Kind == TlsEventKind.Failed);
    }
}
