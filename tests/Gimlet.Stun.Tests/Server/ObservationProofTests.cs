using Gimlet.Sockets;
using Gimlet.Stun.Server;

namespace Gimlet.Stun.Tests.Server;

public sealed class ObservationProofTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Theory]
    [InlineData("203.0.113.7:50211")]
    [InlineData("[2001:db8::7]:50211")]
    public void A_proof_holds_for_its_address_its_key_and_ten_minutes(string text)
    {
        var address = TransportAddress.Parse(text);
        byte[] proof = new byte[ObservationProof.Length];
        ObservationProof.Create(address, Key, Now, proof);

        Assert.True(ObservationProof.TryVerify(proof, address, Key, Now));
        Assert.True(ObservationProof.TryVerify(proof, address, Key, Now.AddMinutes(10)));
        Assert.False(ObservationProof.TryVerify(proof, address, Key, Now.AddMinutes(10).AddSeconds(1)));
        Assert.False(ObservationProof.TryVerify(proof, address, Key, Now.AddSeconds(-1)));
        Assert.False(ObservationProof.TryVerify(proof, address.WithPort(1), Key, Now));
        Assert.False(ObservationProof.TryVerify(proof, TransportAddress.Parse("203.0.113.8:50211"), Key, Now));
        Assert.False(ObservationProof.TryVerify(proof, address, new byte[32], Now));
        Assert.False(ObservationProof.TryVerify(proof, default, Key, Now));
    }

    [Fact]
    public void A_proof_with_any_bit_changed_or_any_byte_missing_does_not_hold()
    {
        var address = TransportAddress.Parse("203.0.113.7:50211");
        byte[] proof = new byte[ObservationProof.Length];
        ObservationProof.Create(address, Key, Now, proof);
        for (int bit = 0; bit < proof.Length * 8; bit++)
        {
            byte[] changed = [.. proof];
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(ObservationProof.TryVerify(changed, address, Key, Now.AddMinutes(1)));
        }

        Assert.False(ObservationProof.TryVerify(proof.AsSpan(1), address, Key, Now));
        Assert.False(ObservationProof.TryVerify([], address, Key, Now));
    }

    [Fact]
    public void The_bytes_are_those_of_the_protocol_document()
    {
        byte[] proof = new byte[ObservationProof.Length];
        ObservationProof.Create(TransportAddress.Parse("203.0.113.7:50211"), Key, Now, proof);

        // Computed with another language's HMAC from docs/protocol.md section 4, the key being the bytes 0 to 31.
        Assert.Equal("695735a50be912822c7294967d79cb980083f8c5", Convert.ToHexStringLower(proof));
    }
}
