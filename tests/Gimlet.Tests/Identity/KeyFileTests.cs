namespace Gimlet.Tests.Identity;

public sealed class KeyFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gimlet-keys-").FullName;

    private string KeyPath => Path.Combine(_folder, "new", "key.pem");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_first_use_makes_a_key_that_only_the_owner_can_read()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no permission bits.");
            return;
        }

        using NodeIdentity made = new KeyFile(KeyPath).LoadOrCreate();
        using NodeIdentity again = new KeyFile(KeyPath).LoadOrCreate();
        Assert.Equal(made.Id, again.Id);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyPath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(KeyPath)!));
        Assert.Equal([KeyPath], Directory.GetFiles(Path.GetDirectoryName(KeyPath)!));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void A_key_that_others_can_reach_is_refused_with_the_remedy(UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no permission bits.");
            return;
        }

        new KeyFile(KeyPath).LoadOrCreate().Dispose();
        File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite | mode);
        GimletException e = Assert.Throws<GimletException>(() => new KeyFile(KeyPath).LoadOrCreate());
        Assert.Equal(GimletErrorKind.LocalFault, e.Kind);
        Assert.Contains("chmod 600", e.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void A_file_that_holds_no_key_is_named_and_left_alone(string content)
    {
        _ = Directory.CreateDirectory(Path.GetDirectoryName(KeyPath)!);
        File.WriteAllText(KeyPath, content);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(KeyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        GimletException e = Assert.Throws<GimletException>(() => new KeyFile(KeyPath).LoadOrCreate());
        Assert.Equal(GimletErrorKind.LocalFault, e.Kind);
        Assert.Contains(KeyPath, e.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(KeyPath));
    }

    [Fact]
    public void A_path_that_cannot_hold_a_file_is_a_local_fault()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, string.Empty);
        GimletException e = Assert.Throws<GimletException>(() => new KeyFile(Path.Combine(file, "key.pem")).LoadOrCreate());
        Assert.Equal(GimletErrorKind.LocalFault, e.Kind);
    }

    [Fact]
    public async Task Many_that_start_at_once_get_the_same_key()
    {
        for (int round = 0; round < 20; round++)
        {
            string path = Path.Combine(_folder, $"race{round}", "key.pem");
            using var start = new Barrier(4);
            PeerId[] ids = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    using NodeIdentity identity = new KeyFile(path).LoadOrCreate();
                    return identity.Id;
                },
                TestContext.Current.CancellationToken,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default)));
            Assert.Single(ids.Distinct());
            Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
        }
    }

    [Fact]
    public void The_last_port_is_remembered_and_garbage_is_no_port()
    {
        var file = new KeyFile(KeyPath);
        Assert.Equal(0, file.ReadLastPort());
        Assert.False(file.TryWriteLastPort(4242));
        file.LoadOrCreate().Dispose();
        Assert.True(file.TryWriteLastPort(4242));
        Assert.Equal(4242, new KeyFile(KeyPath).ReadLastPort());
        foreach (string garbage in new[] { string.Empty, "x", "0", "-1", "65536", "99999999999999999999" })
        {
            File.WriteAllText(KeyPath + ".port", garbage);
            Assert.Equal(0, file.ReadLastPort());
        }
    }

    [Fact]
    public void The_default_is_in_the_users_configuration_folder() => Assert.EndsWith(Path.Combine("gimlet", "key.pem"), new KeyFile().Path, StringComparison.Ordinal);
}
