namespace Gimlet.House.Tests.Samples;

/// <summary>The program of README.md. It compiles here; a test compares the text.</summary>
internal static class ReadmeSample
{
    public static async Task RunAsync(string[] args)
    {
        // <readme>
        await using GimletNode node = await GimletNode.StartAsync(new GimletNodeOptions
        {
            Servers = [new Uri("https://gimlet.example.org")],
        });

        Console.WriteLine($"I am {node.Id}");

        await using GimletConnection connection = await node.ConnectAsync(PeerId.Parse(args[0]));
        PingResult pong = await connection.PingAsync();
        Console.WriteLine($"answered in {pong.RoundTripTime.TotalMilliseconds:0.0} ms, path: {pong.Path.Kind}");
        // </readme>
    }
}
