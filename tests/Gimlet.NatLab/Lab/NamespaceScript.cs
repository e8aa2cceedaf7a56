using System.Text;

namespace Gimlet.NatLab.Lab;

/// <summary>Everything one namespace is told, run as one shell script: kernel settings first, then addresses and routes, then the packet filter.</summary>
internal sealed class NamespaceScript(string networkNamespace)
{
    private readonly StringBuilder _settings = new();
    private readonly StringBuilder _ip = new();
    private readonly StringBuilder _rules = new();

    /// <summary>A line for <c>ip -batch</c>.</summary>
    internal void Ip(string line) => _ip.Append(line).Append('\n');

    /// <summary>A value under /proc/sys/net.</summary>
    internal void Setting(string path, string value) => _settings.Append($"echo {value} > /proc/sys/net/{path}\n");

    /// <summary>The same, where the kernel has this setting at all.</summary>
    internal void SettingIfPresent(string path, string value)
        => _settings.Append($"[ ! -e /proc/sys/net/{path} ] || echo {value} > /proc/sys/net/{path}\n");

    /// <summary>A device that the wire reads from. It gets no fe80:: address, so nothing is sent over it but what someone sends.</summary>
    internal void WireEnd(string device)
    {
        Setting($"ipv6/conf/{device}/addr_gen_mode", "1");
        // The usual 500 overflow when a burst meets a busy machine (seen: 162 of 4,000 lost, and not by the wire). Only the wire may lose packets.
        Ip($"link set {device} txqueuelen 10000 up");
    }

    /// <summary>Text for <c>nft -f</c>.</summary>
    internal void Rules(string text) => _rules.Append(text).Append('\n');

    internal Task RunAsync(CancellationToken cancellation)
    {
        // Quoted here-documents: the shell changes nothing in them.
        var script = $"{_settings}ip -batch - <<'END'\n{_ip}END\n{(_rules.Length > 0 ? $"nft -f - <<'END'\n{_rules}END\n" : "")}";
        return Command.RunAsync("ip", ["netns", "exec", networkNamespace, "sh", "-e", "-s"], script, cancellation);
    }
}
