using System.Runtime.InteropServices;

namespace Gimlet.Stun.Discovery;

/// <summary>What evidence leaves possible, from 1 (endpoint-independent) to 3 (address-and-port-dependent).</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct BehaviorRange(int AtLeast, int AtMost)
{
    public const int EndpointIndependent = 1;
    public const int AddressDependent = 2;
    public const int AddressAndPortDependent = 3;

    public static BehaviorRange Anything => new(EndpointIndependent, AddressAndPortDependent);

    public bool IsExact => AtLeast == AtMost;

    /// <summary>The one possibility, or 0 for unknown.</summary>
    public int Exact => IsExact ? AtLeast : 0;

    public static BehaviorRange Exactly(int behavior) => new(behavior, behavior);
}
