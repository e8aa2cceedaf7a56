namespace Gimlet;

/// <summary>How a node came to know the public address of its port.</summary>
public enum PublicAddressSource
{
    /// <summary>A STUN server saw it. <c>stun</c></summary>
    Stun,

    /// <summary>It was configured (<c>--public-address</c>, <c>GIMLET_PUBLIC_ADDRESS</c>, <see cref="GimletNode.SetPublicAddress"/>). <c>configured</c></summary>
    Configured,

    /// <summary>The cloud's metadata service told it. <c>cloud-metadata</c></summary>
    CloudMetadata,

    /// <summary>Nobody told it: the local address, which works only where no NAT is in between. <c>local</c></summary>
    Local,
}
