using Gimlet.Server.Workers.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gimlet.Server;

/// <summary>Adds the workers' rendezvous to an ASP.NET Core application.</summary>
public static class GimletWorkersServiceCollectionExtensions
{
    /// <summary>
    /// Adds the rendezvous through which programs of any language, with a WebSocket and JSON, are introduced to each other; <c>app.MapGimletWorkers()</c> gives it its
    /// place. With <c>AddGimlet</c> beside it workers can prove peer ids, and its trusted proxies are believed here as well.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="options">How it behaves; null for the defaults, which admit everyone.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentException">An option does not make sense; the message names it.</exception>
    public static IServiceCollection AddGimletWorkers(this IServiceCollection services, GimletWorkersOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        options ??= new GimletWorkersOptions();
        options.Validate();
        services.TryAddSingleton(TimeProvider.System);
        _ = services.AddMetrics();
        _ = services.AddSingleton(options);
        services.TryAddSingleton<WorkersHost>();
        _ = services.AddHostedService(static provider => provider.GetRequiredService<WorkersHost>());
        return services;
    }
}
