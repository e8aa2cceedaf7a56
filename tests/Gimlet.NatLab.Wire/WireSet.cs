namespace Gimlet.NatLab.Wire;

/// <summary>One end of a wire as the loop sees it: packets read here leave at the far end.</summary>
internal sealed record WirePort(int Descriptor, int FarDescriptor, Impairment Impairment);

/// <summary>The wires of this process by name, and the commands on them. A direction is called by the end where packets enter: <c>a</c> or <c>b</c>.</summary>
internal sealed class WireSet(Action<WirePort> watch) : IDisposable
{
    private readonly Dictionary<string, (Impairment A, Impairment B)> _wires = new(StringComparer.Ordinal);
    private readonly List<TunDevice> _devices = [];

    /// <summary>Carries out one command line and returns the answer: <c>ok ...</c> or <c>error ...</c>.</summary>
    internal string Execute(string line)
    {
        try
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return words switch
            {
                ["wire", var name, var spaceA, var deviceA, var spaceB, var deviceB, .. var settings]
                    => Add(name, (spaceA, deviceA), (spaceB, deviceB), settings),
                ["set", var name, "a", .. var settings] => Set([_wires[name].A], settings),
                ["set", var name, "b", .. var settings] => Set([_wires[name].B], settings),
                ["set", var name, "both", .. var settings] => Set([_wires[name].A, _wires[name].B], settings),
                ["stats", var name] => Describe(_wires[name]),
                _ => "error expected: wire NAME NS DEV NS DEV [K=V]... | set NAME a|b|both [K=V]... | stats NAME",
            };
        }
        catch (Exception exception) when (exception is IOException or FormatException or OverflowException or KeyNotFoundException or ArgumentException)
        {
            return $"error {line}: {exception.Message}";
        }
    }

    public void Dispose()
    {
        foreach (var device in _devices)
        {
            device.Dispose();
        }
    }

    private string Add(string name, (string Space, string Device) a, (string Space, string Device) b, string[] settings)
    {
        var ends = (A: Open(a), B: Open(b));
        // Seeds by position: a lab that is built the same way twice loses the same packets twice.
        var wire = (A: new Impairment(seed: 2 * _wires.Count), B: new Impairment(seed: (2 * _wires.Count) + 1));
        var answer = Set([wire.A, wire.B], settings);
        _wires.Add(name, wire);
        watch(new WirePort(ends.A.Descriptor, ends.B.Descriptor, wire.A));
        watch(new WirePort(ends.B.Descriptor, ends.A.Descriptor, wire.B));
        return answer;
    }

    private TunDevice Open((string Space, string Device) end)
    {
        var device = TunDevice.Create(end.Space, end.Device);
        _devices.Add(device);
        return device;
    }

    private static string Set(Impairment[] directions, string[] settings)
    {
        foreach (var setting in settings)
        {
            var (key, value) = setting.Split('=') is [var left, var right] ? (left, right) : throw new FormatException($"'{setting}' is not KEY=VALUE");
            foreach (var direction in directions)
            {
                direction.Set(key, value);
            }
        }

        return "ok";
    }

    private static string Describe((Impairment A, Impairment B) wire)
        => $"ok {wire.A.Passed} {wire.A.Lost} {wire.A.Overflowed} {wire.B.Passed} {wire.B.Lost} {wire.B.Overflowed}";
}
