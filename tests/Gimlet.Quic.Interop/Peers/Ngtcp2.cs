using System.Globalization;
using System.Net;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>
/// The HTTP/3 programs of ngtcp2 0.12.1. What they need of the other side is in tests/peers/README.md: a control stream, a request or an
/// answer of a few bytes, and room for three unidirectional streams.
/// </summary>
internal static class Ngtcp2
{
    // A socket is looked for this often; the programs say nothing when they listen.
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(5);

    /// <summary>Starts <c>gtlsserver</c>, which serves the files of a folder, and <c>/N</c> as N bytes of its own where N is a number.</summary>
    /// <param name="identity">Its own.</param>
    /// <param name="folder">What it serves.</param>
    /// <param name="options">
    /// Such as <c>-V</c> (Retry), <c>--verify-client</c>, <c>-t 0.05</c> (loses what it sends), <c>-r 0.05</c> (loses what it gets).
    /// </param>
    public static async Task<Ngtcp2Server> ServeAsync(PeerIdentity identity, string folder, params IReadOnlyList<string> options)
    {
        PeerProcess process = PeerProcess.Start(
            PeerRequirements.DemandProgram("gtlsserver", "ngtcp2-server"),
            [.. Quieter, "--htdocs", folder, .. options, "127.0.0.1", "0", identity.KeyPath, identity.CertificatePath],
            IsWorthKeeping);
        try
        {
            return new Ngtcp2Server(process, new IPEndPoint(IPAddress.Loopback, await PortAsync(process)));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Downloads with <c>gtlsclient</c>, one stream per path, on one connection.</summary>
    /// <param name="server">Whom it calls.</param>
    /// <param name="paths">What it asks for; the last part of each is the name of the file it is stored in.</param>
    /// <param name="options">
    /// Such as <c>--key-update=1ms</c>, <c>--change-local-addr=1ms</c> (with <c>--nat-rebinding</c>: without telling the server), <c>-t</c>
    /// and <c>-r</c> as the server has them, <c>--max-data=10K</c>.
    /// </param>
    public static async Task<Ngtcp2Download> DownloadAsync(IPEndPoint server, IReadOnlyList<string> paths, params IReadOnlyList<string> options)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("gimlet-peer-");
        try
        {
            await using PeerProcess process = PeerProcess.Start(
                PeerRequirements.DemandProgram("gtlsclient", "ngtcp2-client"),
                [
                    .. Quieter, "--exit-on-all-streams-close", $"--download={folder.FullName}", .. options,
                    server.Address.ToString(), server.Port.ToString(CultureInfo.InvariantCulture),
                    .. paths.Select(path => $"https://localhost{path}"),
                ],
                IsWorthKeeping);
            // Always 0: what came is the only verdict.
            await process.WaitForExitAsync();
            Dictionary<string, byte[]> files = folder.GetFiles()
                .ToDictionary(file => $"/{file.Name}", file => File.ReadAllBytes(file.FullName), StringComparer.Ordinal);
            return new Ngtcp2Download(files, process.LinesLike(_ => true));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // The packets stay, the bytes of the streams go: printing them takes longer than the transfer.
    private static string[] Quieter => ["--no-quic-dump", "--no-http-dump"];

    // Of the log of packets what tells of events; the rest is thousands of lines.
    private static readonly string[] Events =
    [
        "type=Retry", "PATH_CHALLENGE", "key update", "Negotiated", "CONNECTION_CLOSE", "RESET_STREAM", "STOP_SENDING", "pkt rx 0 VN", " SR ",
    ];

    private static bool IsWorthKeeping(string line) => Events.Any(part => line.Contains(part, StringComparison.OrdinalIgnoreCase));

    // Port 0 leaves the choice to the kernel, so that no two tests collide; which it was is the kernel's to say.
    private static async Task<int> PortAsync(PeerProcess process)
    {
        using var deadline = new CancellationTokenSource(PeerProcess.Deadline);
        while (true)
        {
            if (process.HasEnded)
            {
                throw process.Failure("it ended before it listened");
            }

            if (UdpPorts.Of(process.Id) is [int port])
            {
                return port;
            }

            try
            {
                await Task.Delay(LookInterval, deadline.Token);
            }
            catch (OperationCanceledException)
            {
                throw process.Failure("it bound no socket");
            }
        }
    }
}

/// <summary>A running <c>gtlsserver</c>.</summary>
internal sealed class Ngtcp2Server(PeerProcess process, IPEndPoint endPoint) : IAsyncDisposable
{
    public IPEndPoint EndPoint => endPoint;

    /// <summary>Whether its log of packets, as far as it is kept (the last few hundred lines), has such a line.</summary>
    public bool Said(string part) => process.LinesLike(line => line.Contains(part, StringComparison.Ordinal)).Count > 0;

    /// <summary>Waits until its log of packets has a line with all of these parts.</summary>
    public Task WaitForAsync(params IReadOnlyList<string> parts) =>
        process.WaitForLineAsync(line => parts.All(part => line.Contains(part, StringComparison.Ordinal)));

    // It knows no order to end; its clients have ended before it.
    public ValueTask DisposeAsync() => process.DisposeAsync();
}

/// <summary>What <c>gtlsclient</c> stored, by path, and what its log of packets said.</summary>
internal sealed record Ngtcp2Download(IReadOnlyDictionary<string, byte[]> Files, IReadOnlyList<string> Log)
{
    /// <summary>Whether a line has all of these parts.</summary>
    public bool Said(params IReadOnlyList<string> parts) =>
        Log.Any(line => parts.All(part => line.Contains(part, StringComparison.OrdinalIgnoreCase)));
}
