using System.Security.Cryptography;
using System.Text;
using Gimlet.Access;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Access;

public sealed class TicketProofTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
    private static readonly byte[] Point = [4, .. Enumerable.Range(0, 64).Select(i => (byte)i)];
    private static readonly CallId Call = new([.. Enumerable.Range(100, 16).Select(i => (byte)i)]);

    [Fact]
    public void The_proof_is_the_HMAC_that_the_protocol_names()
    {
        // Written out from docs/protocol.md section 1, not from the code.
        byte[] caller = new byte[32];
        byte[] callee = new byte[32];
        Keys.Small.Id.CopyTo(caller);
        Keys.Large.Id.CopyTo(callee);
        byte[] message = [.. Encoding.ASCII.GetBytes("gimlet.v1 ticket\0"), .. Convert.FromHexString(Call.ToString()), .. caller, .. callee, .. Point];
        using var hmac = new HMACSHA256(Secret);
        Assert.Equal(hmac.ComputeHash(message), TicketProof.Compute(Secret, Call, Keys.Small.Id, Keys.Large.Id, Point));
    }

    [Fact]
    public void A_fixed_vector_stays_what_it_is()
    {
        // Computed with another implementation (Python's hmac).
        byte[] proof = TicketProof.Compute(Secret, Call, new PeerId(Filled(0xAA)), new PeerId(Filled(0xBB)), Point);
        Assert.Equal("a41e3c6f0bc66ca84e950aef5fc3581bc30907d6c1448276b0f44646c880e750", Convert.ToHexStringLower(proof));
    }

    [Fact]
    public void Every_bit_of_every_part_matters()
    {
        byte[] proof = TicketProof.Compute(Secret, Call, Keys.Small.Id, Keys.Large.Id, Point);
        Assert.True(Verify(Secret, Call, Keys.Small.Id, Keys.Large.Id, Point, proof));
        Assert.False(Verify(Secret, Call, Keys.Large.Id, Keys.Small.Id, Point, proof));
        Assert.False(Verify(Secret, Call, Keys.Stranger.Id, Keys.Large.Id, Point, proof));
        Assert.False(Verify(Secret, Call, Keys.Small.Id, Keys.Stranger.Id, Point, proof));
        foreach (byte[] other in Flips(Secret))
        {
            Assert.False(Verify(other, Call, Keys.Small.Id, Keys.Large.Id, Point, proof));
        }

        foreach (byte[] other in Flips(Point))
        {
            Assert.False(Verify(Secret, Call, Keys.Small.Id, Keys.Large.Id, other, proof));
        }

        foreach (byte[] other in Flips(Convert.FromHexString(Call.ToString())))
        {
            Assert.False(Verify(Secret, new CallId(other), Keys.Small.Id, Keys.Large.Id, Point, proof));
        }

        foreach (byte[] other in Flips(proof))
        {
            Assert.False(Verify(Secret, Call, Keys.Small.Id, Keys.Large.Id, Point, other));
        }
    }

    [Fact]
    public void A_proof_of_another_length_is_none()
    {
        byte[] proof = TicketProof.Compute(Secret, Call, Keys.Small.Id, Keys.Large.Id, Point);
        Assert.All(new[] { [], proof[..31], [.. proof, 0] }, p => Assert.False(Verify(Secret, Call, Keys.Small.Id, Keys.Large.Id, Point, p)));
    }

    [Theory]
    [InlineData(15, 65)]
    [InlineData(17, 65)]
    [InlineData(0, 65)]
    [InlineData(16, 64)]
    [InlineData(16, 66)]
    public void Wrong_lengths_are_the_callers_mistake(int secret, int point)
    {
        string message = Assert.Throws<ArgumentException>(() => TicketProof.Compute(new byte[secret], Call, Keys.Small.Id, Keys.Large.Id, new byte[point])).Message;
        Assert.Contains($"not {(secret != 16 ? secret : point)}", message, StringComparison.Ordinal);
    }

    private static bool Verify(byte[] secret, CallId call, PeerId caller, PeerId callee, byte[] point, byte[] proof)
    {
        byte[] statement = new byte[TicketProof.StatementLength];
        TicketProof.WriteStatement(call, caller, callee, point, statement);
        return TicketProof.Verify(secret, statement, proof);
    }

    private static byte[] Filled(byte value)
    {
        byte[] bytes = new byte[32];
        Array.Fill(bytes, value);
        return bytes;
    }

    private static IEnumerable<byte[]> Flips(byte[] bytes)
    {
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] other = [.. bytes];
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            yield return other;
        }
    }
}
