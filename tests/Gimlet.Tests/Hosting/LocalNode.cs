using System.Net;

namespace Gimlet.Tests.Hosting;

/// <summary>Nodes on loopback that ask nobody they are not told to ask.</summary>
internal static class LocalNode
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    public static GimletNodeOptions Options(params string[] stun) => new() { AllowLoopback = true, MetadataAddress = null, StunServers = stun };

    public static Task<GimletNode> StartAsync(GimletNodeOptions? options = null) =>
        GimletNode.StartAsync(options ?? Options(), TestContext.Current.CancellationToken).Within();

    public static IPEndPoint AddressOf(GimletNode node) => new(IPAddress.Loopback, node.LocalPorts.IPv4);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Deadline, TestContext.Current.CancellationToken);

    public static Task Within(this Task task) => task.WaitAsync(Deadline, TestContext.Current.CancellationToken);

    /// <summary>Two nodes that know each other's address and id, connected without a server.</summary>
    public static async Task<(GimletConnection OfA, GimletConnection OfB)> ConnectAsync(GimletNode a, GimletNode b)
    {
        Task<GimletConnection> first = a.ConnectAsync(AddressOf(b), b.Id, cancellationToken: TestContext.Current.CancellationToken);
        Task<GimletConnection> second = b.ConnectAsync(AddressOf(a), a.Id, cancellationToken: TestContext.Current.CancellationToken);
        return (await first.Within(), await second.Within());
    }
}
