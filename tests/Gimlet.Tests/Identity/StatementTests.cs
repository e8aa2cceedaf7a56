using System.Text;
using Gimlet.Identity;
using Gimlet.Tests.Support;

namespace Gimlet.Tests.Identity;

public sealed class StatementTests
{
    [Theory]
    [InlineData("Gimlet.Example.ORG", 443, "gimlet.example.org:443")]
    [InlineData("192.0.2.1", 8080, "192.0.2.1:8080")]
    [InlineData("[2001:DB8::1]", 443, "[2001:db8::1]:443")]
    [InlineData("2001:db8::1", 443, "[2001:db8::1]:443")]
    public void The_authority_is_lower_case_with_brackets_and_port(string host, int port, string expected) =>
        Assert.Equal(expected, Statement.Authority(host, port));

    [Fact]
    public void The_bytes_of_each_statement_are_those_of_the_protocol()
    {
        byte[] nonce = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        byte[] point = [.. Enumerable.Repeat((byte)4, 65)];
        byte[] key = Keys.Small.PublicKey.ToArray();
        byte[] caller = new byte[32];
        byte[] callee = new byte[32];
        Keys.Small.Id.CopyTo(caller);
        Keys.Large.Id.CopyTo(callee);
        Assert.Equal([.. Ascii("gimlet.v1 register\0host:1\0"), .. nonce, .. key], Statement.Registration("host:1", nonce, key));
        Assert.Equal([.. Ascii("gimlet.v1 prekey\0"), .. point], Statement.Prekey(point));
        Assert.Equal([.. Ascii("gimlet.v1 hello\0"), .. point], Statement.Hello(point));
        Assert.Equal([.. Ascii("gimlet.v1 call\0"), .. nonce[..16], .. caller, .. callee, .. point], Statement.CallKey(nonce.AsSpan(0, 16), Keys.Small.Id, Keys.Large.Id, point));
    }

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);
}
