using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Commands;

public sealed class IdTests : CliTest
{
    [Fact]
    public async Task The_key_is_made_on_first_use_and_is_its_owners_alone()
    {
        string key = Folder.File(Path.Combine("new", "key.pem"));

        CliEvent id = (await RunAsync("id", "--key", key)).Event("id");

        Assert.Equal(["event", "peer"], id.FieldNames);
        Assert.True(PeerId.TryParse(id.Text("peer"), out _));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        }

        Assert.Equal(id.Text("peer"), (await RunAsync("id", "--key", key)).Event("id").Text("peer"));
    }

    [Fact]
    public async Task People_get_the_id_and_nothing_else()
    {
        CliResult result = await RunForPeopleAsync("id", "--key", Folder.File("k.pem"));

        Assert.Equal(0, result.ExitCode);
        Assert.True(PeerId.TryParse(result.Output, out _), result.Output);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Without_an_option_it_is_in_the_configuration_folder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "XDG_CONFIG_HOME is Linux");

        await RunAsync("id");

        Assert.True(File.Exists(Folder.File(Path.Combine("gimlet", "key.pem"))));
    }

    [Fact]
    public async Task A_key_that_others_may_read_is_refused()
    {
        string key = Folder.File("k.pem");
        await RunAsync("id", "--key", key);
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("permissions are POSIX");
            return;
        }

        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        CliEvent error = AssertFailed(await RunAsync("id", "--key", key), 8, "local-fault");

        Assert.Contains("chmod 600", error.Text("hint"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_a_key_is_refused()
    {
        string key = Folder.File("k.pem");
        await File.WriteAllTextAsync(key, "hello", TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        AssertFailed(await RunAsync("id", "--key", key), 8, "local-fault");
    }
}
