using System.Diagnostics;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Wire;

/// <summary>Wireshark's dissector, on a file of <see cref="PcapCapture"/>.</summary>
internal static class Tshark
{
    /// <summary>Decodes a file: a row per packet that passes the filter, a column per field.</summary>
    /// <param name="capture">The file.</param>
    /// <param name="keyLog">The secrets, or null where those of Initial packets are enough.</param>
    /// <param name="filter">A display filter.</param>
    /// <param name="fields">Names of fields; a field that is there several times is separated by commas.</param>
    public static async Task<IReadOnlyList<string[]>> DecodeAsync(string capture, string? keyLog, string filter, params IReadOnlyList<string> fields)
    {
        string program = PeerRequirements.DemandProgram("tshark", "tshark");
        List<string> arguments =
        [
            "-r", capture, "-d", $"udp.port=={PcapCapture.ServerPort},quic", "-Y", filter, "-T", "fields", "-E", "separator=|",
            .. keyLog is null ? (string[])[] : ["-o", $"tls.keylog_file:{keyLog}"],
            .. fields.SelectMany(field => (string[])["-e", field]),
        ];
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("tshark did not start");
        CancellationToken token = TestContext.Current.CancellationToken;
        Task<string> errors = process.StandardError.ReadToEndAsync(token);
        string output = await process.StandardOutput.ReadToEndAsync(token);
        await process.WaitForExitAsync(token);
        Assert.True(process.ExitCode == 0, await errors);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|'))];
    }
}
