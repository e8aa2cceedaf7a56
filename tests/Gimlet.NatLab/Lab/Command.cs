using System.Diagnostics;

namespace Gimlet.NatLab.Lab;

/// <summary>Runs a tool to its end.</summary>
internal static class Command
{
    // No tool of the lab takes a second; a machine under load may take some.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Gives it <paramref name="input"/> on standard input and waits for its end.</summary>
    /// <returns>What it wrote to standard output.</returns>
    /// <exception cref="LabException">It could not be started, ended with a code other than 0, or not at all.</exception>
    internal static async Task<string> RunAsync(string file, IEnumerable<string> arguments, string input, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new LabException($"{file} did not start");
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(Deadline);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var errors = process.StandardError.ReadToEndAsync(deadline.Token);
            await process.StandardInput.WriteAsync(input.AsMemory(), deadline.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(deadline.Token);
            return process.ExitCode == 0
                ? await output
                : throw new LabException($"{file} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode}: {await errors}\n{input}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
        catch (IOException exception)
        {
            // It ended before it had read its input: its own words say why.
            throw new LabException($"{file} {string.Join(' ', start.ArgumentList)}: {await process.StandardError.ReadToEndAsync(cancellation)}", exception);
        }
    }
}
