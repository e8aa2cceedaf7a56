namespace Gimlet.Worker.Tests.Support;

/// <summary>Every wait has a deadline.</summary>
internal static class Waits
{
    /// <summary>Far more than anything here takes; a machine under load is slow, not wrong.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(40);

    public static Task<T> Within<T>(this Task<T> task) => task.WaitAsync(Deadline, TestContext.Current.CancellationToken);

    public static Task Within(this Task task) => task.WaitAsync(Deadline, TestContext.Current.CancellationToken);

    public static Task<T> Within<T>(this ValueTask<T> task) => task.AsTask().Within();

    /// <summary>Completes when the connection is on a direct path.</summary>
    public static async Task<ConnectionPath> OnDirectAsync(this GimletConnection connection)
    {
        var there = new TaskCompletionSource<ConnectionPath>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(ConnectionPath? path)
        {
            if (path?.Kind == PathKind.Direct)
            {
                _ = there.TrySetResult(path);
            }
        }

        connection.PathChanged += change => Look(change.Path);
        Look(connection.Path);
        return await there.Task.Within();
    }
}
