using System.Globalization;
using System.Net;

namespace Gimlet.Bench.Relay;

/// <summary>Idle pairs: registers them, says so, lets them meet when told to, and holds them until it is told to end.</summary>
internal static class PairsRole
{
    public static int Run(string[] args)
    {
        IPEndPoint server = IPEndPoint.Parse(args[0]);
        int pairs = int.Parse(args[1], CultureInfo.InvariantCulture);
        var nodes = new List<RawNode>();
        try
        {
            for (int i = 0; i < 2 * pairs; i++)
            {
                nodes.Add(RawNode.Register(server));
            }

            Console.WriteLine("registered");
            _ = Console.ReadLine();
            for (int i = 0; i < pairs; i++)
            {
                RawNode.Meet(nodes[2 * i], nodes[(2 * i) + 1]);
            }

            Console.WriteLine("met");
            _ = Console.ReadLine();
            return 0;
        }
        finally
        {
            nodes.ForEach(static n => n.Dispose());
        }
    }
}
