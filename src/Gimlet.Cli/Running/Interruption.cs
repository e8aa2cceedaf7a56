using System.Runtime.InteropServices;

namespace Gimlet.Cli.Running;

/// <summary>Ctrl+C and SIGTERM: the first asks the command to end, a second one ends the process.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _requested = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Begins to listen for signals.</summary>
    public Interruption() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Requested => _requested.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _requested.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (!_requested.IsCancellationRequested)
        {
            context.Cancel = true;

            // Not on the signal's thread: what ends on cancellation may take its time, and a second signal must get through.
            _ = _requested.CancelAsync();
        }
    }
}
