namespace Gimlet.Hosting;

/// <summary>
/// An event whose first handler also hears what happened before it was there. A connection reaches the application through a queue, and over a
/// short path the peer's first round trip is answered sooner than the application gets to add a handler.
/// </summary>
/// <typeparam name="T">What is told.</typeparam>
internal sealed class EarlyNews<T>
{
    // A handler is added within moments or never; where it is never, the connection holds no more than this.
    private const int Max = 16;

    private readonly Lock _gate = new();
    private Queue<T>? _early = new();
    private Action<T>? _handlers;

    /// <summary>Adds a handler.</summary>
    public void Add(Action<T>? handler)
    {
        lock (_gate)
        {
            _handlers += handler;
            if (_handlers is null || _early is not { } early)
            {
                return;
            }

            // First of all, so that a handler that throws here still hears what comes later.
            _early = null;
            while (early.TryDequeue(out T? news))
            {
                _handlers?.Invoke(news);
            }
        }
    }

    // One handler that throws does not keep the news from the others.
    private static void Tell(Action<T>? handlers, T news)
    {
        List<Exception>? faults = null;
        foreach (Action<T> handler in Delegate.EnumerateInvocationList(handlers))
        {
            try
            {
                handler(news);
            }
            catch (Exception e)
            {
                (faults ??= []).Add(e);
            }
        }

        if (faults is not null)
        {
            throw faults.Count == 1 ? faults[0] : new AggregateException(faults);
        }
    }

    /// <summary>Removes a handler.</summary>
    public void Remove(Action<T>? handler)
    {
        lock (_gate)
        {
            _handlers -= handler;
        }
    }

    /// <summary>
    /// Tells the handlers, or keeps it for the first one. Called by one thread at a time. No lock is held meanwhile: a handler that takes its time keeps nobody
    /// from adding another one.
    /// </summary>
    public void Raise(T news)
    {
        Action<T>? handlers;
        lock (_gate)
        {
            if (_early is not null)
            {
                if (_early.Count < Max)
                {
                    _early.Enqueue(news);
                }

                return;
            }

            handlers = _handlers;
        }

        Tell(handlers, news);
    }
}
