using System.Text.Json;
using Gimlet.Quic.Paths;
using Gimlet.Quic.Tests.Trace.Support;
using Gimlet.Quic.Tests.Wire.Support;
using Gimlet.Quic.Trace;
using Gimlet.Quic.Wire;

namespace Gimlet.Quic.Tests.Trace;

public sealed class QlogFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("gimlet-qlog-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_file_has_the_name_of_the_connection_and_its_side()
    {
        using (IConnectionTrace? trace = Open(_directory, EndpointRole.Server))
        {
            Assert.NotNull(trace);
            trace.MtuUpdated(TimeSpan.FromSeconds(1), new PathId(1), 1200, 1452);
        }

        List<JsonElement> records = QlogRecords.Parse(File.ReadAllBytes(Path.Combine(_directory, "8394c8f0_server.sqlog")));
        Assert.Equal(2, records.Count);
        Assert.InRange(records[0].Number("trace", "common_fields", "reference_time"), 1_600_000_000_000, long.MaxValue);
    }

    [Fact]
    public void A_file_that_exists_is_kept()
    {
        using IConnectionTrace? first = Open(_directory, EndpointRole.Client);
        Assert.NotNull(first);
        Assert.Null(Open(_directory, EndpointRole.Client));
    }

    [Fact]
    public void Without_a_directory_there_is_no_trace()
    {
        Assert.Null(Open(Path.Combine(_directory, "missing"), EndpointRole.Client));
        Assert.Null(Open("", EndpointRole.Client));
    }

    private static IConnectionTrace? Open(string directory, EndpointRole role) =>
        QlogFile.TryOpen(directory, role, Ids.Hex("8394c8f0"), TimeProvider.System);
}
