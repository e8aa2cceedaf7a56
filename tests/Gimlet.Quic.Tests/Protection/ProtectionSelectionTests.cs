using Gimlet.Quic.Protection;
using Gimlet.Quic.Protection.BaseClassLibrary;
using Gimlet.Quic.Protection.Curves;
using Gimlet.Quic.Protection.LibCrypto;

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

    private sealed class Faulty(string fault) : IProtectionProvider
    {
        public string Name => fault;

        public ICurveProvider Curves => BclCurves.Instance;

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
