using System.Security.Cryptography;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Protection.LibCrypto;

namespace Gimlet.Quic.Protection;

/// <summary>Which implementation of packet protection, and of the curves of handshakes, is wanted.</summary>
internal enum ProtectionChoice
{
    /// <summary>libcrypto where it is found and agrees with the base class library, that one otherwise.</summary>
    Automatic,

    /// <summary>The base class library.</summary>
    BaseClassLibrary,

    /// <summary>libcrypto, or an error.</summary>
    LibCrypto,
}

/// <summary>Which implementation of packet protection, and of the curves of handshakes, is used, and why.</summary>
/// <param name="Provider">The implementation.</param>
/// <param name="Reason">For reports and logs.</param>
internal sealed record ProtectionSelection(IProtectionProvider Provider, string Reason)
{
    // The comparison is made once per process.
    private static readonly Lazy<ProtectionSelection> Automatic = new(SelectAutomatically);

    /// <summary>Selects an implementation.</summary>
    /// <exception cref="PlatformNotSupportedException">libcrypto was demanded and cannot be used; the message says why.</exception>
    public static ProtectionSelection Select(ProtectionChoice choice)
    {
        if (choice == ProtectionChoice.BaseClassLibrary)
        {
            return new ProtectionSelection(BclProvider.Instance, "chosen");
        }

        ProtectionSelection selection = Automatic.Value;
        if (choice == ProtectionChoice.LibCrypto && selection.Provider is not LibCryptoProvider)
        {
            throw new PlatformNotSupportedException($"libcrypto cannot be used: {selection.Reason}");
        }

        return selection;
    }

    /// <summary>
    /// Takes a candidate that agrees with the base class library in everything. One that computes a single thing otherwise is trusted with nothing.
    /// </summary>
    /// <param name="candidate">The implementation.</param>
    /// <param name="version">What it calls itself.</param>
    public static ProtectionSelection Judge(IProtectionProvider candidate, string version)
    {
        bool hasCurves = candidate.Curves is not BclCurves;
        string? difference = ProtectionSelfTest.FindDifference(candidate, BclProvider.Instance)
            ?? (hasCurves ? CurveSelfTest.FindDifference(candidate.Curves, BclCurves.Instance) : null);
        if (difference is not null)
        {
            return new ProtectionSelection(BclProvider.Instance, $"{version} disagrees with the base class library: {difference}");
        }

        return new ProtectionSelection(
            candidate,
            hasCurves
                ? $"{version} agrees with the base class library on packets and curves"
                : $"{version} agrees with the base class library on packets; its curves cannot be used, the base class library's are");
    }

    private static ProtectionSelection SelectAutomatically()
    {
        if (!LibCryptoLibrary.IsFound)
        {
            return new ProtectionSelection(
                BclProvider.Instance, OperatingSystem.IsLinux() ? "libcrypto was not found" : "libcrypto is used on Linux only");
        }

        try
        {
            return Judge(new LibCryptoProvider(), LibCryptoLibrary.Version);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or CryptographicException)
        {
            // A library without one of the functions, or one that refuses to work (a policy of the system): the other one is as good.
            return new ProtectionSelection(BclProvider.Instance, $"libcrypto failed: {e.Message}");
        }
    }
}
