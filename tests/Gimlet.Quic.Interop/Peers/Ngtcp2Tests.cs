using System.Globalization;
using System.Security.Cryptography;

namespace Gimlet.Quic.Interop.Peers;

/// <summary>ngtcp2's programs against themselves, and against the few bytes of HTTP/3 that our quic-go peer writes by hand.</summary>
public sealed class Ngtcp2Tests : IDisposable
{
    private const int Length = 300_000;
    private const string Path = "/data";

    private readonly PeerIdentity _identity = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gimlet-peer-");
    private readonly byte[] _data = RandomNumberGenerator.GetBytes(Length);

    public Ngtcp2Tests() => File.WriteAllBytes($"{_folder.FullName}{Path}", _data);

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        _identity.Dispose();
    }

    /// <summary>Options of the server, options of the client, and what the client's log must then say.</summary>
    public static TheoryData<string, string, string> Cases => new()
    {
        { "", "", "Negotiated ALPN is h3" },
        { "-V", "", "type=Retry" },
        { "", "--key-update=1ms", "key update" },
        { "", "--change-local-addr=1ms", "frm tx" },
        { "", "--change-local-addr=1ms --nat-rebinding", "PATH_CHALLENGE" },
        { "-t 0.03 -r 0.03", "-t 0.03 -r 0.03", "" },
        { "--verify-client", "--cert={certificate} --key={key}", "" },
        { "", "--max-data=10K --max-stream-data-bidi-local=4K --max-window=10K --max-stream-window=4K", "" },
        { "", "--ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-256-GCM --groups=-GROUP-ALL:+GROUP-SECP384R1", "AES-256-GCM" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_file_arrives(string serverOptions, string clientOptions, string saying)
    {
        await using Ngtcp2Server server = await Ngtcp2.ServeAsync(_identity, _folder.FullName, Words(serverOptions));

        Ngtcp2Download download = await Ngtcp2.DownloadAsync(server.EndPoint, [Path], Words(clientOptions));

        Assert.Equal(_data, download.Files[Path]);
        Assert.True(saying.Length == 0 || download.Said(saying), $"'{saying}' is not in\n{string.Join('\n', download.Log)}");
    }

    [Theory]
    [InlineData(Path)]
    [InlineData("/12345")]
    public async Task The_few_bytes_of_a_client_are_enough(string path)
    {
        await using Ngtcp2Server server = await Ngtcp2.ServeAsync(_identity, _folder.FullName);

        PeerResult result = await ForeignPeer.QuicGo.RunAsync(server.EndPoint, null, "h3-get", "--alpn", "h3", "--path", path);

        Assert.True(result.Ok, result.Text);
        Assert.Equal(path == Path ? Length : int.Parse(path[1..], CultureInfo.InvariantCulture), result.Bytes);
    }

    [Fact]
    public async Task The_few_bytes_of_a_server_are_enough()
    {
        await using PeerServer server = await ForeignPeer.QuicGo.ServeAsync(_identity, "--alpn", "h3", "--bytes", $"{Length}");
        byte[] expected = new byte[Length];
        InteropPattern.Fill(expected, 0);

        Ngtcp2Download download = await Ngtcp2.DownloadAsync(server.EndPoint, ["/one", "/two", "/three"]);

        Assert.Equal(["/one", "/three", "/two"], download.Files.Keys.Order());
        Assert.All(download.Files.Values, file => Assert.Equal(expected, file));
    }

    private string[] Words(string options) =>
    [
        .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.Replace("{certificate}", _identity.CertificatePath, StringComparison.Ordinal).Replace("{key}", _identity.KeyPath, StringComparison.Ordinal)),
    ];
}
