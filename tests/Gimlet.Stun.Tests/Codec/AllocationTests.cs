using Gimlet.Sockets;
using Gimlet.Stun.Attributes;
using Gimlet.Stun.Tests.Support;

namespace Gimlet.Stun.Tests.Codec;

public sealed class AllocationTests
{
    [Fact]
    public void Building_a_check_allocates_nothing()
    {
        byte[] key = new byte[32];
        byte[] buffer = new byte[512];
        Allocations.AssertNone(() => _ = Samples.BuildCheck(buffer, key).Length);
    }

    [Fact]
    public void Parsing_and_verifying_a_check_allocates_nothing()
    {
        byte[] key = new byte[32];
        byte[] check = Samples.Check(key);
        Allocations.AssertNone(() =>
        {
            bool valid = StunMessage.TryParse(check, out StunMessage message)
                && message.TryGetUsername(out _)
                && message.TryGetPriority(out _)
                && message.VerifyFingerprint()
                && message.VerifyMessageIntegritySha256(key);
            if (!valid)
            {
                throw new InvalidOperationException("The sample does not verify.");
            }
        });
    }

    [Fact]
    public void Building_and_parsing_a_response_with_SHA1_allocates_nothing()
    {
        byte[] key = new byte[20];
        byte[] buffer = new byte[256];
        var address = TransportAddress.Parse("[2001:db8::1]:9");
        Allocations.AssertNone(() =>
        {
            var builder = new StunMessageBuilder(buffer, StunClass.Success, StunMethod.Binding, Samples.Id);
            builder.AddXorMappedAddress(address);
            builder.AddMessageIntegrity(key);
            builder.AddFingerprint();
            bool valid = StunMessage.TryParse(builder.Written, out StunMessage message)
                && message.TryGetXorMappedAddress(out TransportAddress read)
                && read == address
                && message.VerifyMessageIntegrity(key);
            if (!valid)
            {
                throw new InvalidOperationException("The response does not verify.");
            }
        });
    }
}
