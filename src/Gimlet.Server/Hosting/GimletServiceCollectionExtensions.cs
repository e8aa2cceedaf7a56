using Gimlet.Server.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gimlet.Server;

/// <summary>Adds Gimlet to an ASP.NET Core application.</summary>
public static class GimletServiceCollectionExtensions
{
    /// <summary>Adds the rendezvous and its STUN server; <c>app.MapGimlet()</c> gives them their place.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="options">How the server behaves; null for the defaults, which admit everyone.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentException">An option does not make sense; the message names it.</exception>
    public static IServiceCollection AddGimlet(this IServiceCollection services, GimletOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        options ??= new GimletOptions();
        options.Validate();
        services.TryAddSingleton(TimeProvider.System);
        _ = services.AddMetrics();
        _ = services.AddSingleton(options);
        services.TryAddSingleton<GimletHost>();
        _ = services.AddHostedService(static provider => provider.GetRequiredService<GimletHost>());
        return services;
    }
}
