namespace Gimlet.Quic.Interop;

/// <summary>How long a test may take. Far more than any does: a machine may be busy, and a test that hangs must still say why.</summary>
internal static class Deadlines
{
    /// <summary>In milliseconds.</summary>
    public const int Test = 60_000;

    /// <summary>For 100 MB, in milliseconds.</summary>
    public const int LargeTest = 120_000;
}
