using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Protection.LibCrypto;
using Gimlet.Quic.Tests.Protection.Support;

namespace Gimlet.Quic.Tests.Protection;

public sealed class ProtectionSelectionTests
{
    [Fact]
    public void The_platforms_libcrypto_is_chosen_where_it_agrees()
    {
        Assert.SkipUnless(LibCryptoLibrary.IsFound, "This platform has no libcrypto that could be used.");
        var selection = ProtectionSelection.Select(ProtectionChoice.Automatic);
        Assert.Equal("libcrypto", selection.Provider.Name);
        Assert.Contains("OpenSSL", selection.Reason, StringComparison.Ordinal);
        Assert.Same(selection.Provider, ProtectionSelection.Select(ProtectionChoice.LibCrypto).Provider);
    }

    [Fact]
    public void The_base_class_library_can_always_be_chosen() =>
        Assert.Same(BclProvider.Instance, ProtectionSelection.Select(ProtectionChoice.BaseClassLibrary).Provider);

    [Fact]
    public void Where_there_is_no_libcrypto_the_selection_says_why()
    {
        Assert.SkipWhen(LibCryptoLibrary.IsFound, "This platform has libcrypto.");
        Assert.Same(BclProvider.Instance, ProtectionSelection.Select(ProtectionChoice.Automatic).Provider);
        PlatformNotSupportedException e = Assert.Throws<PlatformNotSupportedException>(() => ProtectionSelection.Select(ProtectionChoice.LibCrypto));
        Assert.Contains("libcrypto", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("ciphertext", "seals to other bytes")]
    [InlineData("tag", "seals to other bytes")]
    [InlineData("opens all", "opens what was tampered with")]
    [InlineData("opens none", "does not open what the other sealed")]
    [InlineData("mask", "header protection makes another mask")]
    public void The_self_test_finds_an_implementation_that_is_wrong(string fault, string? difference)
    {
        string? found = ProtectionSelfTest.FindDifference(new Faulty(fault), BclProvider.Instance);
        if (difference is null)
        {
            Assert.Null(found);
        }
        else
        {
            Assert.EndsWith(difference, found, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("none", null)]
    [InlineData("secret", "agrees on another secret")]
    [InlineData("refuses points", "agrees on another secret")]
    [InlineData("point", "makes keys that are no points")]
    [InlineData("takes all points", "takes what is no point")]
    [InlineData("refuses keys", "does not take a public key")]
    [InlineData("verifies none", "refuses a signature")]
    [InlineData("verifies all", "takes a signature of something else")]
    [InlineData("takes all keys", "takes a public key that is no point")]
    public void The_self_test_finds_curves_that_are_wrong(string fault, string? difference)
    {
        string? found = CurveSelfTest.FindDifference(new FaultyCurves(fault), BclCurves.Instance);
        if (difference is null)
        {
            Assert.Null(found);
        }
        else
        {
            // Both curves are wrong; the first one is told.
            Assert.Equal($"P256: {difference}", found);
        }
    }

    [Theory]
    [InlineData("tag", "none")]
    [InlineData("none", "secret")]
    [InlineData("none", "takes all points")]
    public void Who_disagrees_in_anything_is_trusted_with_nothing(string packetFault, string curveFault)
    {
        var selection = ProtectionSelection.Judge(new Faulty(packetFault, new FaultyCurves(curveFault)), "Some library 1.2");
        Assert.Same(BclProvider.Instance, selection.Provider);
        Assert.StartsWith("Some library 1.2 disagrees with the base class library: ", selection.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_agrees_is_chosen_with_its_curves()
    {
        var candidate = new Faulty("none", new FaultyCurves("none"));
        var selection = ProtectionSelection.Judge(candidate, "Some library 1.2");
        Assert.Same(candidate, selection.Provider);
        Assert.Equal("Some library 1.2 agrees with the base class library on packets and curves", selection.Reason);
    }

    [Fact]
    public void A_library_without_curves_is_chosen_for_packets()
    {
        var candidate = new Faulty("none");
        var selection = ProtectionSelection.Judge(candidate, "Some library 1.1");
        Assert.Same(candidate, selection.Provider);
        Assert.EndsWith("its curves cannot be used, the base class library's are", selection.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_choice_governs_curves_too()
    {
        Assert.Same(BclCurves.Instance, ProtectionSelection.Select(ProtectionChoice.BaseClassLibrary).Provider.Curves);
        Assert.SkipUnless(LibCryptoLibrary.HasCurves, "This platform has no libcrypto whose curves could be used.");
        Assert.Equal("libcrypto", ProtectionSelection.Select(ProtectionChoice.LibCrypto).Provider.Curves.Name);
    }

    private sealed class Faulty(string fault, ICurveProvider? curves = null) : IProtectionProvider
    {
        public string Name => fault;

        public ICurveProvider Curves => curves ?? BclCurves.Instance;

        public IPacketProtector CreatePacketProtector(PacketCipher cipher, ReadOnlySpan<byte> key) =>
            new FaultyProtector(fault, BclProvider.Instance.CreatePacketProtector(cipher, key));

        public IHeaderProtector CreateHeaderProtector(PacketCipher cipher, ReadOnlySpan<byte> key) =>
            new FaultyHeader(fault, BclProvider.Instance.CreateHeaderProtector(cipher, key));
    }

    private sealed class FaultyProtector(string fault, IPacketProtector inner) : IPacketProtector
    {
        public void Seal(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> payload, Span<byte> tag)
        {
            inner.Seal(nonce, header, payload, tag);
            tag[15] ^= (byte)(fault == "tag" ? 1 : 0);
            if (payload.Length > 1000)
            {
                payload[^1] ^= (byte)(fault == "ciphertext" ? 1 : 0);
            }
        }

        public bool Open(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> tag)
        {
            bool isOpened = inner.Open(nonce, header, payload, tag);
            return fault == "opens all" || (isOpened && fault != "opens none");
        }

        public void Dispose() => inner.Dispose();
    }

    private sealed class FaultyHeader(string fault, IHeaderProtector inner) : IHeaderProtector
    {
        public void Mask(ReadOnlySpan<byte> sample, Span<byte> mask)
        {
            inner.Mask(sample, mask);
            mask[4] ^= (byte)(fault == "mask" ? 1 : 0);
        }

        public void Dispose() => inner.Dispose();
    }
}
