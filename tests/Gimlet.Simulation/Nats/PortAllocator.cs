namespace Gimlet.Simulation;

/// <summary>Chooses the public port of a new mapping (RFC 4787 section 4.2).</summary>
internal sealed class PortAllocator
{
    /// <summary>Above this, random draws are given up for a scan: the range is nearly full.</summary>
    private const int MaxDraws = 64;

    private const int FirstUserPort = 1024;
    private const int EndPort = 65536;

    private readonly NatBehaviour _behaviour;
    private readonly SimRandom _random;
    private int _next;

    public PortAllocator(NatBehaviour behaviour, SimRandom random)
    {
        _behaviour = behaviour;
        _random = random;
        Restart();
    }

    /// <summary>Sequential ports go on from somewhere else.</summary>
    public void Restart() => _next = _random.Next(FirstUserPort, EndPort);

    public bool TryAllocate(int insidePort, Func<int, bool> isFree, out int port)
    {
        // RFC 4787 REQ-3 a): "If the host's source port was in the range 0-1023, it is RECOMMENDED the NAT's source port be in
        // the same range", and the other way round.
        (int start, int end) = insidePort < FirstUserPort ? (1, FirstUserPort) : (FirstUserPort, EndPort);
        switch (_behaviour.Ports)
        {
            case PortAllocation.Random:
                for (int draw = 0; draw < MaxDraws; draw++)
                {
                    port = _random.Next(start, end);
                    if (isFree(port))
                    {
                        return true;
                    }
                }

                return TryScan(_random.Next(start, end), 1, start, end, isFree, out port);

            case PortAllocation.Sequential:
                if (!TryScan(_next, _behaviour.PortStep, start, end, isFree, out port))
                {
                    return false;
                }

                _next = port + _behaviour.PortStep;
                return true;

            default:
                return TryScan(insidePort, 1, start, end, isFree, out port);
        }
    }

    private static bool TryScan(int from, int step, int start, int end, Func<int, bool> isFree, out int port)
    {
        port = from;
        for (int tried = start; tried < end; tried++)
        {
            if (port < start || port >= end)
            {
                port = start;
            }

            if (isFree(port))
            {
                return true;
            }

            port += step;
        }

        return false;
    }
}
