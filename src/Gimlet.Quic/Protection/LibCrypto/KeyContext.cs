using Microsoft.Win32.SafeHandles;

namespace Gimlet.Quic.Protection.LibCrypto;

/// <summary>An EVP_PKEY_CTX: one operation with a key.</summary>
internal sealed class KeyContext : SafeHandleZeroOrMinusOneIsInvalid
{
    /// <summary>Called by the marshalling of what returns one.</summary>
    public KeyContext()
        : base(ownsHandle: true)
    {
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.FreeKeyContext(handle);
        return true;
    }
}
