using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Gimlet.Quic.Interop.Matrix;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Foreigners;

/// <summary>What clients of all three can do in the same words.</summary>
internal static class ForeignClient
{
    // ngtcp2 asks for any name: our server has one file for all.
    private const string File = "/data";

    /// <summary>Downloads so many bytes of the pattern, which must arrive.</summary>
    /// <param name="kind">Which one.</param>
    /// <param name="server">Where from; of <see cref="Ours.OurServer"/> with a file of this length.</param>
    /// <param name="length">How many.</param>
    /// <param name="options">Of the command line, which differ.</param>
    /// <returns>What ngtcp2's log said, or the result of the others as one line.</returns>
    public static async Task<IReadOnlyList<string>> DownloadAsync(Foreign kind, IPEndPoint server, long length, params IReadOnlyList<string> options)
    {
        if (kind == Foreign.Ngtcp2)
        {
            Ngtcp2Download download = await Ngtcp2.DownloadAsync(server, [File], options);
            Assert.True(download.Files.TryGetValue(File, out byte[]? bytes), $"nothing came:\n{string.Join('\n', download.Log)}");
            Assert.Equal(length, bytes.Length);
            Assert.Equal(InteropPattern.Sha256(length), Convert.ToHexStringLower(SHA256.HashData(bytes)));
            return download.Log;
        }

        PeerResult result = await RunAsync(kind, server, "get", ["--bytes", Text(length), .. options]);
        Assert.Equal((length, InteropPattern.Sha256(length)), (result.Bytes, result.Sha256));
        return [result.Text];
    }

    /// <summary>Uploads so many bytes of the pattern with quic-go or quinn; the server's digest is compared.</summary>
    public static Task<PeerResult> UploadAsync(Foreign kind, IPEndPoint server, long length, params IReadOnlyList<string> options) =>
        RunAsync(kind, server, "put", ["--bytes", Text(length), .. options]);

    /// <summary>Runs a scenario of quic-go's or quinn's client, which must end well.</summary>
    public static async Task<PeerResult> RunAsync(Foreign kind, IPEndPoint server, string scenario, params IReadOnlyList<string> options)
    {
        PeerResult result = await ForeignServer.Named(kind).RunAsync(server, identity: null, scenario, options);
        Assert.True(result.Ok, result.Text);
        return result;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
