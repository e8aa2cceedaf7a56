using Gimlet.Signalling;

namespace Gimlet.Server.Rendezvous;

/// <summary>Which close code follows which error code (docs/protocol.md section 2).</summary>
internal static class ErrorTable
{
    public static int CloseCode(string errorCode) => errorCode switch
    {
        ErrorCode.ShuttingDown => SignalCloseCode.GoingAway,
        ErrorCode.MessageTooLarge => SignalCloseCode.MessageTooBig,
        ErrorCode.TooManyNodes or ErrorCode.TooManyFromAddress or ErrorCode.TooSlow => SignalCloseCode.TryAgainLater,
        ErrorCode.Replaced => SignalCloseCode.Replaced,
        _ => SignalCloseCode.PolicyViolation,
    };
}
