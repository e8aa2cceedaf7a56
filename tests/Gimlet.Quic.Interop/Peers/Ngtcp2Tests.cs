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

    [Fact]
    public async Task A_client_moves_without_a_word_while_it_sends()
    {
        string upload = $"{_folder.FullName}/upload";
        await File.WriteAllBytesAsync(upload, RandomNumberGenerator.GetBytes(3_000_000), TestContext.Current.CancellationToken);
        await using Ngtcp2Server server = await Ngtcp2.ServeAsync(_identity, _folder.FullName);

        // A client that only receives would wait for ever: it hears nothing on the old port and has nothing to say on the new one.
        Ngtcp2Download answer = await Ngtcp2.DownloadAsync(
            server.EndPoint, [Path], "-m", "POST", "-d", upload, "--change-local-addr=2ms", "--nat-rebinding");

        Assert.True(answer.Said("PATH_CHALLENGE"), string.Join('\n', answer.Log));
        // H3_NO_ERROR, which it says when all its streams have ended.
        Assert.True(answer.Said("CONNECTION_CLOSE(0x1d) error_code=(unknown)(0x100)"), string.Join('\n', answer.Log));
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
        .. options
            .Replace("{certificate}", _identity.CertificatePath, StringComparison.Ordinal)
            .Replace("{key}", _identity.KeyPath, StringComparison.Ordinal)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries),
    ];
}
