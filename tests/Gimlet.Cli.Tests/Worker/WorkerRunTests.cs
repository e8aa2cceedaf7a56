using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gimlet.Cli.Tests.Support;

namespace Gimlet.Cli.Tests.Worker;

/// <summary>Workers as processes, at a real rendezvous.</summary>
public sealed class WorkerRunTests : WorkerTest
{
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_file_goes_from_one_worker_to_the_other()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(3_000_000);
        await File.WriteAllBytesAsync(Folder.File("in"), bytes, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Folder.File("out"), "what was there before", TestContext.Current.CancellationToken);
        (string url, _, _) = await RendezvousAsync();

        GimletProcess receiver = StartWorker(url, "receiver", "--receive", Folder.File("out"));
        CliResult sent = await StartWorker(url.Replace("http", "ws", StringComparison.Ordinal), "sender", "--send", Folder.File("in")).WaitForExitAsync();
        CliResult received = await receiver.WaitForExitAsync();

        Assert.Equal((0, 0), (sent.ExitCode, received.ExitCode));
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Folder.File("out"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Folder.File("out.part")));
        Assert.Equal(["event", "worker_id", "peer_id", "udp_port", "health"], sent.Event("started").FieldNames);
        CliEvent registered = sent.Event("registered");
        Assert.Equal(["event", "worker_id", "rendezvous", "peer_id"], registered.FieldNames);
        Assert.Equal(sent.Event("started").Text("peer_id"), registered.Text("peer_id"));
        Assert.Equal(["event", "address", "source", "explanation"], sent.Event("endpoint").FieldNames);
        Assert.Equal("stun", sent.Event("endpoint").Text("source"));
        CliEvent offer = sent.Event("offer");
        Assert.Equal(["event", "peer_worker_id", "peer_id"], offer.FieldNames);
        Assert.Equal(("receiver", received.Event("registered").Text("peer_id")), (offer.Text("peer_worker_id"), offer.Text("peer_id")));
        CliEvent connected = sent.Event("connected");
        Assert.Equal((true, offer.Text("peer_id"), "receiver"), (connected.Flag("authenticated"), connected.Text("peer"), connected.Text("peer_worker_id")));
        Assert.Equal((bytes.Length, 0), (sent.Event("closed").Number("sent_bytes"), sent.Event("closed").Number("received_bytes")));
    }

    [Fact]
    public async Task Standard_streams_are_ends_too_and_events_leave_them_alone()
    {
        byte[] bytes = RandomNumberGenerator.GetBytes(1_000_000);
        (string url, _, _) = await RendezvousAsync();

        // What is sent from standard input leaves standard output to the events.
        PipeProcess receiver = StartWorkerPipe(url, "receiver", "--receive", "-", "--send", "-");
        PipeProcess sender = StartWorkerPipe(url, "sender", "--receive", "-", "--send", "-");
        Task<string> coming = receiver.ReadToEndAsync();
        await receiver.Input.DisposeAsync();
        await sender.WriteAndEndAsync(bytes);

        Assert.Equal(Convert.ToHexString(SHA256.HashData(bytes)), await coming);
        Assert.Equal(Convert.ToHexString(SHA256.HashData([])), await sender.ReadToEndAsync());
        Assert.Equal((0, 0), ((await sender.WaitForExitAsync()).ExitCode, (await receiver.WaitForExitAsync()).ExitCode));
    }

    [Fact]
    public async Task Bytes_for_which_there_is_no_receive_are_not_lost_without_a_word()
    {
        await File.WriteAllTextAsync(Folder.File("in"), "precious", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Folder.File("empty"), string.Empty, TestContext.Current.CancellationToken);
        (string url, _, _) = await RendezvousAsync();

        GimletProcess deaf = StartWorker(url, "deaf", "--send", Folder.File("empty"));
        CliResult sent = await StartWorker(url, "sender", "--send", Folder.File("in")).WaitForExitAsync();

        _ = AssertFailed(sent, 1, "transport");
        CliEvent error = AssertFailed(await deaf.WaitForExitAsync(), 8, "local-fault");
        Assert.Contains("no --receive", error.Text("message"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_that_receive_say_so_and_leave_their_files_alone()
    {
        (string url, _, _) = await RendezvousAsync();
        string[] files = [Folder.File("a"), Folder.File("b")];
        foreach (string file in files)
        {
            await File.WriteAllTextAsync(file, "what was there before", TestContext.Current.CancellationToken);
        }

        GimletProcess a = StartWorker(url, "a", "--receive", files[0]);
        GimletProcess b = StartWorker(url, "b", "--receive", files[1]);

        CliEvent[] errors = [AssertFailed(await a.WaitForExitAsync(), 1, "transport"), AssertFailed(await b.WaitForExitAsync(), 1, "transport")];
        Assert.Contains(errors, static e => e.Text("message").Contains("nothing to send", StringComparison.Ordinal));
        foreach (string file in files)
        {
            Assert.Equal("what was there before", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            Assert.False(File.Exists(file + ".part"));
        }
    }

    [Fact]
    public async Task An_empty_file_is_something_and_a_command_may_have_an_empty_input()
    {
        await File.WriteAllTextAsync(Folder.File("empty"), string.Empty, TestContext.Current.CancellationToken);
        (string url, _, _) = await RendezvousAsync();

        GimletProcess receiver = StartWorker(url, "receiver", "--receive", Folder.File("out"));
        CliResult sent = await StartWorker(url, "sender", "--send", Folder.File("empty")).WaitForExitAsync();
        Assert.Equal((0, 0), (sent.ExitCode, (await receiver.WaitForExitAsync()).ExitCode));
        Assert.Empty(await File.ReadAllBytesAsync(Folder.File("out"), TestContext.Current.CancellationToken));

        Assert.SkipWhen(OperatingSystem.IsWindows(), "The command is one of a Unix shell.");
        Environment["GIMLET_GROUP_SECRET"] = "0123456789abcdef";
        Environment["GIMLET_WORKER_TOKEN"] = "fedcba9876543210";
        receiver = StartWorker(url, "taker", "--group", "g", "--receive", Folder.File("out"));
        CliResult command = await StartWorker(url, "command", "--group", "g", "--exec", "cat; env").WaitForExitAsync();
        Assert.Equal((0, 0), (command.ExitCode, (await receiver.WaitForExitAsync()).ExitCode));
        string environment = await File.ReadAllTextAsync(Folder.File("out"), TestContext.Current.CancellationToken);
        Assert.Contains("PATH=", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("fedcba9876543210", environment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stage_whose_peer_only_stays_is_told_so()
    {
        await File.WriteAllTextAsync(Folder.File("in"), "precious", TestContext.Current.CancellationToken);
        (string url, _, _) = await RendezvousAsync();

        GimletProcess staying = StartWorker(url, "staying");
        CliResult sent = await StartWorker(url, "sender", "--send", Folder.File("in")).WaitForExitAsync();

        Assert.NotEqual(0, sent.ExitCode);
        Assert.NotEmpty(sent.Event("error").Text("message"));
        _ = await staying.WaitForAsync("closed");
        Assert.Equal(0, (await staying.SignalAsync("TERM")).ExitCode);
    }

    [Fact]
    public async Task A_command_talks_with_a_peer_that_knows_the_groups_secret()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The command is one of a Unix shell.");
        Environment["GIMLET_GROUP_SECRET"] = "0123456789abcdef";
        (string url, _, _) = await RendezvousAsync();

        GimletProcess command = StartWorker(url, "command", "--group", "g", "--exec", "tr a-z A-Z");
        PipeProcess asking = StartWorkerPipe(url, "asking", "--group", "g", "--send", "-", "--receive", "-");
        Task<string> answer = asking.ReadToEndAsync();
        await asking.WriteAndEndAsync(Encoding.ASCII.GetBytes("what is the time?"));

        Assert.Equal(Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes("WHAT IS THE TIME?"))), await answer);
        Assert.Equal((0, 0), ((await command.WaitForExitAsync()).ExitCode, (await asking.WaitForExitAsync()).ExitCode));
    }

    [Fact]
    public async Task A_peer_without_the_secret_is_refused_and_no_command_is_run()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The command is one of a Unix shell.");
        (string url, _, _) = await RendezvousAsync();

        GimletProcess command = StartWorker(url, "command", "--group", "g", "--group-secret", "0123456789abcdef", "--exec", $"touch {Folder.File("ran")}");
        _ = await command.WaitForAsync("registered");
        _ = StartWorker(url, "stranger", "--group", "g", "--group-secret", "fedcba9876543210");

        CliEvent error = await command.WaitForAsync("error");
        Assert.Equal("refused", error.Text("kind"));
        Assert.Equal(0, (await command.SignalAsync("TERM")).ExitCode);
        Assert.False(File.Exists(Folder.File("ran")));
    }

    [Fact]
    public async Task A_command_that_fails_leaves_no_half_a_file_behind()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The command is one of a Unix shell.");
        Environment["GIMLET_GROUP_SECRET"] = "0123456789abcdef";
        await File.WriteAllTextAsync(Folder.File("out"), "what was there before", TestContext.Current.CancellationToken);
        (string url, _, _) = await RendezvousAsync();

        GimletProcess receiver = StartWorker(url, "receiver", "--group", "g", "--receive", Folder.File("out"));
        CliResult command = await StartWorker(url, "command", "--group", "g", "--exec", "echo half; exit 3").WaitForExitAsync();

        Assert.Contains("status 3", AssertFailed(command, 8, "local-fault").Text("message"), StringComparison.Ordinal);
        _ = AssertFailed(await receiver.WaitForExitAsync(), 1, "transport");
        Assert.Equal("what was there before", await File.ReadAllTextAsync(Folder.File("out"), TestContext.Current.CancellationToken));
        Assert.False(File.Exists(Folder.File("out.part")));
    }

    [Fact]
    public async Task A_command_that_goes_on_without_its_peer_is_ended_and_that_is_said()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The command is one of a Unix shell.");
        Environment["GIMLET_GROUP_SECRET"] = "0123456789abcdef";
        (string url, _, _) = await RendezvousAsync();

        GimletProcess receiver = StartWorker(url, "receiver", "--group", "g", "--receive", Folder.File("out"));
        CliResult command = await StartWorker(url, "command", "--group", "g", "--exec", "echo all; exec >&-; exec sleep 600").WaitForExitAsync();

        Assert.Contains("still runs", AssertFailed(command, 8, "local-fault").Text("message"), StringComparison.Ordinal);
        Assert.Equal(0, (await receiver.WaitForExitAsync()).ExitCode);
        Assert.Equal("all\n", await File.ReadAllTextAsync(Folder.File("out"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_named_pipe_that_nobody_writes_to_does_not_keep_a_worker_from_ending()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Named pipes in the file system are of Unix.");
        using (var mkfifo = Process.Start("mkfifo", [Folder.File("pipe")]))
        {
            await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        (string url, _, _) = await RendezvousAsync();
        GimletProcess sender = StartWorker(url, "sender", "--send", Folder.File("pipe"));
        _ = StartWorker(url, "receiver", "--receive", Folder.File("out"));
        _ = await sender.WaitForAsync("connected");

        var ending = Stopwatch.StartNew();
        Assert.Equal(0, (await sender.SignalAsync("TERM")).ExitCode);
        Assert.True(ending.Elapsed < LongestEnd, $"it took {ending.Elapsed}");
    }

    [Fact]
    public async Task Without_proofs_the_connection_says_that_it_is_not_authenticated()
    {
        (string url, _, _) = await RendezvousAsync();

        GimletProcess a = StartWorker(url, "a", "--no-proof");
        GimletProcess b = StartWorker(url, "b", "--no-proof");

        CliEvent connected = await a.WaitForAsync("connected");
        Assert.Equal((false, "b"), (connected.Flag("authenticated"), connected.Text("peer_worker_id")));
        _ = await b.WaitForAsync("connected");
        Assert.Equal(0, (await a.SignalAsync("INT")).ExitCode);
        Assert.Contains("peer", (await b.WaitForAsync("closed")).Text("reason"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_ends_it_within_two_seconds_and_the_rendezvous_hears_it(string signal)
    {
        (string url, _, _) = await RendezvousAsync();
        GimletProcess a = StartWorker(url, "a");
        GimletProcess b = StartWorker(url, "b");
        _ = await a.WaitForAsync("connected");
        _ = await b.WaitForAsync("connected");

        var ending = Stopwatch.StartNew();
        CliResult result = await a.SignalAsync(signal);

        Assert.True(ending.Elapsed < LongestEnd, $"it took {ending.Elapsed}");
        Assert.Equal(0, result.ExitCode);
        Assert.NotNull(result.Event("closed"));
        using var http = new HttpClient();
        using var list = JsonDocument.Parse(await http.GetStringAsync(new Uri(url + "/debug/list_workers"), TestContext.Current.CancellationToken));
        Assert.False(list.RootElement.GetProperty("workers").TryGetProperty("a", out JsonElement left) && left.GetProperty("websocket_connected").GetBoolean());
        Assert.Equal("closed by the peer", (await b.WaitForAsync("closed")).Text("reason"));

        // The one that is left was not offered the one that went.
        Assert.Equal("offer", Assert.Single((await b.SignalAsync("TERM")).Events, static e => e.Name == "offer").Name);
    }

    [Fact]
    public async Task The_health_check_answers_and_the_rendezvous_may_come_later()
    {
        Environment["PORT"] = "0";
        int port = Loopback.ClosedTcpPort();
        GimletProcess worker = Start("worker", "--rendezvous", $"http://127.0.0.1:{port}", "--port", "0");
        string health = (await worker.WaitForAsync("started")).Text("health");
        using var http = new HttpClient();

        Assert.Equal("Worker active - health check OK", await http.GetStringAsync(new Uri(health), TestContext.Current.CancellationToken));
        Assert.Equal("Worker active - health check OK", await http.GetStringAsync(new Uri(health + "healthz?x=1"), TestContext.Current.CancellationToken));
        using HttpResponseMessage posted = await http.PostAsync(new Uri(health), null, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);

        CliEvent lost = await worker.WaitForAsync("rendezvous-lost");
        Assert.Equal(["event", "reason", "retry_ms"], lost.FieldNames);
        Assert.InRange(lost.Number("retry_ms"), 1000, 2000);
        _ = Start("serve", "--workers", "--http", $"127.0.0.1:{port}", "--stun", "off");
        _ = await worker.WaitForAsync("registered");
        Assert.Equal(0, (await worker.SignalAsync("TERM")).ExitCode);
    }

    [Fact]
    public async Task A_transfer_outlives_the_rendezvous()
    {
        int port = Loopback.ClosedTcpPort();
        string[] serve = ["serve", "--workers", "--http", $"127.0.0.1:{port}", "--stun", "127.0.0.1:0"];
        GimletProcess first = Start(serve);
        string url = (await first.WaitForAsync("ready")).Text("http");
        PipeProcess sender = StartWorkerPipe(url, "sender", "--send", "-", "--receive", "-");
        PipeProcess receiver = StartWorkerPipe(url, "receiver", "--send", "-", "--receive", "-");
        foreach (PipeProcess side in new[] { sender, receiver })
        {
            if ((await side.WaitForAsync("connected")).Text("path") != "direct")
            {
                Assert.Equal("direct", (await side.WaitForAsync("path")).Text("path"));
            }
        }

        await first.DisposeAsync();
        _ = await sender.WaitForAsync("rendezvous-lost");
        byte[] bytes = RandomNumberGenerator.GetBytes(1_000_000);
        Task<string> coming = receiver.ReadToEndAsync();
        await sender.Input.WriteAsync(bytes.AsMemory(0, 500_000), TestContext.Current.CancellationToken);
        _ = Start(serve);
        _ = await sender.WaitForAsync("registered");
        await sender.Input.WriteAsync(bytes.AsMemory(500_000), TestContext.Current.CancellationToken);
        await sender.Input.DisposeAsync();
        await receiver.Input.DisposeAsync();

        Assert.Equal(Convert.ToHexString(SHA256.HashData(bytes)), await coming);
        Assert.Equal((0, 0), ((await sender.WaitForExitAsync()).ExitCode, (await receiver.WaitForExitAsync()).ExitCode));
    }

    [Theory]
    [InlineData("silent")]
    [InlineData("garbage")]
    [InlineData("closed")]
    [InlineData("no.such.host.invalid")]
    public async Task Whatever_STUN_does_the_worker_says_so_and_goes_on(string kind)
    {
        using Socket server = Loopback.TakeUdpPort(out int port);
        using var over = new CancellationTokenSource();
        Task answering = kind == "garbage" ? AnswerGarbageAsync(server, over.Token) : Task.CompletedTask;
        if (kind == "closed")
        {
            server.Dispose();
        }

        bool isName = kind.Contains('.', StringComparison.Ordinal);
        Environment["STUN_HOST_ENV"] = isName ? kind : "127.0.0.1";
        Environment["STUN_PORT_ENV"] = isName ? "3478" : $"{port}";
        Environment["STUN_MAX_RETRIES"] = "2";

        // Garbage has to arrive before the time is over; silence has only to last.
        Environment["STUN_RETRY_DELAY_SEC"] = kind == "garbage" ? "2" : "0.3";
        (string url, _, _) = await RendezvousAsync();
        GimletProcess worker = StartWorker(url, "a");

        CliEvent failed = await worker.WaitForAsync("stun-failed");
        Assert.Contains(failed.Text("outcome"), isName ? ["name-not-resolved"] : kind == "garbage" ? ["malformed"] : (string[])["timed-out", "unreachable"]);
        Assert.Equal("local", (await worker.WaitForAsync("endpoint")).Text("source"));
        _ = StartWorker(url, "b");
        _ = await worker.WaitForAsync("connected");
        Assert.Equal(0, (await worker.SignalAsync("TERM")).ExitCode);
        await over.CancelAsync();
        await answering;
    }

    [Fact]
    public async Task Who_takes_the_name_is_told_of_to_who_had_it()
    {
        (string url, _, _) = await RendezvousAsync();
        GimletProcess first = StartWorker(url, "same", "--no-proof");
        _ = await first.WaitForAsync("registered");
        GimletProcess second = StartWorker(url, "same", "--no-proof");

        CliEvent error = AssertFailed(await first.WaitForExitAsync(), 5, "rendezvous-rejected");
        Assert.Contains("'same'", error.Text("message"), StringComparison.Ordinal);
        Assert.Equal(0, (await second.SignalAsync("TERM")).ExitCode);
    }

    [Fact]
    public async Task A_token_that_is_missing_is_said_with_the_servers_words()
    {
        (string url, _, _) = await RendezvousAsync("--worker-token", "0123456789abcdef");
        GimletProcess worker = StartWorker(url, "a");

        CliEvent lost = await worker.WaitForAsync("rendezvous-lost");
        Assert.Contains("401", lost.Text("reason"), StringComparison.Ordinal);
        Assert.Contains("Bearer TOKEN", lost.Text("reason"), StringComparison.Ordinal);
        Assert.InRange(lost.Number("retry_ms"), 8000, 10_000);
        _ = await StartWorker(url, "b", "--worker-token", "0123456789abcdef").WaitForAsync("registered");
    }

    private static async Task AnswerGarbageAsync(Socket server, CancellationToken over)
    {
        byte[] buffer = new byte[1500];
        try
        {
            while (true)
            {
                SocketReceiveFromResult asked = await server.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), over);
                _ = await server.SendToAsync("no STUN here"u8.ToArray(), asked.RemoteEndPoint, over);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
