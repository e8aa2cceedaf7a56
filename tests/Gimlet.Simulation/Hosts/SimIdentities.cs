using System.Security.Cryptography;

namespace Gimlet.Simulation;

/// <summary>
/// Node keys that are the same in every run: which of two peers has the smaller id, and so controls, must follow from the seed. There
/// are few of them because making one costs more than a whole punch.
/// </summary>
internal static class SimIdentities
{
    private const int Count = 24;
    private static readonly Lazy<NodeIdentity[]> All = new(Make);

    /// <summary>A key that no other call with the same stream got, for the first <see cref="Count"/> calls.</summary>
    /// <param name="world">The world, whose seed shuffles the keys.</param>
    /// <param name="number">0 for the world's first node, 1 for its second, ...</param>
    public static NodeIdentity Get(World world, int number)
    {
        int[] order = new int[Count];
        SimRandom random = world.Random("identities");
        for (int i = 0; i < Count; i++)
        {
            int j = random.Next(i + 1);
            order[i] = order[j];
            order[j] = i;
        }

        return All.Value[order[number]];
    }

    private static NodeIdentity[] Make()
    {
        SimRandom random = new(0x6769_6d6c_6574);
        NodeIdentity[] identities = new NodeIdentity[Count];
        for (int i = 0; i < Count; i++)
        {
            byte[] scalar = new byte[32];
            random.Fill(scalar);

            // Below the order of the group, whose first byte is 0xff: any scalar with another first byte is a key.
            scalar[0] &= 0x7f;
            using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar });
            identities[i] = NodeIdentity.FromPem(key.ExportPkcs8PrivateKeyPem());
        }

        return identities;
    }
}
