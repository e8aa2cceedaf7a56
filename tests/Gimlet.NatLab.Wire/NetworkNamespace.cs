using System.Runtime.ExceptionServices;

namespace Gimlet.NatLab.Wire;

/// <summary>Named network namespaces, as <c>ip netns</c> keeps them. What is opened inside one (a socket, a TUN device) stays in it for life.</summary>
internal static class NetworkNamespace
{
    /// <summary>Where <c>ip netns add</c> mounts them.</summary>
    internal const string Folder = "/run/netns";

    /// <summary>Moves the calling thread, for good. Only for threads that serve no other purpose.</summary>
    /// <exception cref="IOException">The namespace does not exist or the caller is not root.</exception>
    internal static void Enter(string name)
    {
        var descriptor = Kernel.Open($"{Folder}/{name}", Kernel.OpenReadOnly | Kernel.OpenCloseOnExec);
        if (descriptor < 0)
        {
            throw Kernel.Failure($"open namespace {name}");
        }

        var moved = Kernel.SetNamespace(descriptor, Kernel.CloneNewNet);
        var failure = moved < 0 ? Kernel.Failure($"setns {name}") : null;
        _ = Kernel.Close(descriptor);
        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <summary>Runs <paramref name="action"/> inside the namespace, on a thread of its own: a pooled thread that moved would take strangers' work with it.</summary>
    internal static T Run<T>(string name, Func<T> action)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Enter(name);
                result = action();
            }
            catch (Exception exception)
            {
                // Rethrown on the caller's thread below.
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        })
        { IsBackground = true, Name = "in " + name };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }
}
