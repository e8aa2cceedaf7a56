using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.LibCrypto;

namespace Gimlet.Quic.Tests.Protection.Support;

/// <summary>Both implementations of packet protection, by name.</summary>
internal static class Providers
{
    public static TheoryData<string> Names => ["base class library", "libcrypto"];

    /// <summary>Gives an implementation; skips the test where there is none.</summary>
    public static IProtectionProvider Get(string name)
    {
        if (name == "libcrypto")
        {
            Assert.SkipUnless(LibCryptoLibrary.IsFound, "This platform has no libcrypto that could be used.");
            return new LibCryptoProvider();
        }

        return BclProvider.Instance;
    }
}
