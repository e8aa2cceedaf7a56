using System.Text;
using Gimlet.Server.Tests.Support;
using Gimlet.Server.Workers;

namespace Gimlet.Server.Tests.Workers;

public sealed class MessageTests
{
    [Theory]
    [InlineData("{\"type\":\"echo_request\",\"payload\":\"hello\"}", "\"hello\"")]
    [InlineData("{\"payload\":7,\"type\":\"echo_request\"}", "7")]
    [InlineData("{ \"type\" : \"echo_request\" , \"payload\" : { \"a\" : [ 1.50e+3 , true ] } }", "{ \"a\" : [ 1.50e+3 , true ] }")]
    [InlineData("{\"type\":\"echo_request\"}", "null")]
    [InlineData("{\"type\":\"echo_request\",\"payload\":null}", "null")]
    [InlineData("{\"type\":\"echo_request\",\"payload\":\"<é> & 'x' \\u00e9\\ud83d\\ude00 \\/ + 😀\"}", "\"<é> & 'x' \\u00e9\\ud83d\\ude00 \\/ + 😀\"")]
    [InlineData("{\"type\":\"echo_request\",\"payload\":\"\\ud800\"}", "\"\\ud800\"")]
    [InlineData("{\"type\":\"echo_request\",\"payload\":1,\"payload\":2}", "2")]
    [InlineData("{\"\\u0074ype\":\"echo\\u005frequest\",\"payload\":123456789012345678901234567890}", "123456789012345678901234567890")]
    public void An_echo_goes_back_byte_for_byte(string request, string payload)
    {
        WorldWorker worker = new WorkerWorld().Connect("id-1");
        worker.Send(request);
        worker.Output.ShouldSay($"{{\"type\":\"echo_response\",\"original_payload\":{payload},\"processed_by_rendezvous\":\"Rendezvous processed echo for id-1\"}}");
    }

    [Fact]
    public void An_echo_may_be_as_deep_as_a_message_is_long()
    {
        WorldWorker worker = new WorkerWorld().Connect("a");
        string payload = new string('[', 8000) + new string(']', 8000);
        worker.Send($$"""{"type":"echo_request","payload":{{payload}}}""");
        Assert.Contains(payload, worker.Output.Next(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"udp_ip\":\"203.0.113.7\",\"udp_port\":41002", "203.0.113.7:41002")]
    [InlineData("\"udp_ip\":\"203.0.113.7\",\"udp_port\":\"41002\"", "203.0.113.7:41002")]
    [InlineData("\"udp_ip\":\"2001:DB8:0::1\",\"udp_port\":1", "[2001:db8::1]:1")]
    [InlineData("\"udp_ip\":\"::ffff:203.0.113.7\",\"udp_port\":65535", "203.0.113.7:65535")]
    [InlineData("\"udp_ip\":\"10.1.2.3\",\"udp_port\":5", "10.1.2.3:5")]
    [InlineData("\"udp_ip\":\"203.0.113.7\",\"udp_port\":41002.0", "203.0.113.7:41002")]
    [InlineData("\"udp_ip\":\"203.0.113.7\",\"udp_port\":4.1002e4", "203.0.113.7:41002")]
    [InlineData("\"udp_ip\":\"203.0.113.7\",\"udp_port\":655350E-1", "203.0.113.7:65535")]
    public void An_endpoint_is_stored_and_acknowledged(string members, string stored)
    {
        var world = new WorkerWorld();
        WorldWorker worker = world.Connect("a");
        worker.Send($"{{\"type\":\"update_udp_endpoint\",{members}}}");
        worker.Output.ShouldSay("""{"type":"udp_endpoint_ack","status":"success"}""");
        Assert.Equal(stored, world.View("a").Endpoint.ToString());
    }

    [Theory]
    [InlineData("", "Missing UDP IP or Port")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\"", "Missing UDP IP or Port")]
    [InlineData(",\"udp_port\":1", "Missing UDP IP or Port")]
    [InlineData(",\"udp_ip\":null,\"udp_port\":1", "Missing UDP IP or Port")]
    [InlineData(",\"udp_ip\":\"\",\"udp_port\":1", "Missing UDP IP or Port")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":\"\"", "Missing UDP IP or Port")]
    [InlineData(",\"udp_ip\":\"1\",\"udp_port\":1", "Invalid UDP IP: '1'")]
    [InlineData(",\"udp_ip\":\"203.0.113.07\",\"udp_port\":1", "Invalid UDP IP: '203.0.113.07'")]
    [InlineData(",\"udp_ip\":\"fe80::1%eth0\",\"udp_port\":1", "Invalid UDP IP: 'fe80::1%eth0'")]
    [InlineData(",\"udp_ip\":\"[2001:db8::1]\",\"udp_port\":1", "Invalid UDP IP: '[2001:db8::1]'")]
    [InlineData(",\"udp_ip\":\"example.org\",\"udp_port\":1", "Invalid UDP IP: 'example.org'")]
    [InlineData(",\"udp_ip\":7,\"udp_port\":1", "Invalid UDP IP: '7'")]
    [InlineData(",\"udp_ip\":{\"a\":1},\"udp_port\":1", "Invalid UDP IP: '{\\\"a\\\":1}'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":65536", "Invalid UDP Port: '65536'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":-1", "Invalid UDP Port: '-1'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":1.5", "Invalid UDP Port: '1.5'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":0.0", "Invalid UDP Port: '0.0'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":65536.0", "Invalid UDP Port: '65536.0'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":1e999", "Invalid UDP Port: '1e999'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":\"41002.0\"", "Invalid UDP Port: '41002.0'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":true", "Invalid UDP Port: 'true'")]
    [InlineData(",\"udp_ip\":\"203.0.113.7\",\"udp_port\":\" 5\"", "Invalid UDP Port: ' 5'")]
    [InlineData(",\"udp_ip\":\"0.0.0.0\",\"udp_port\":1", "No other worker can reach this UDP IP: '0.0.0.0'")]
    [InlineData(",\"udp_ip\":\"224.0.0.1\",\"udp_port\":1", "No other worker can reach this UDP IP: '224.0.0.1'")]
    [InlineData(",\"udp_ip\":\"255.255.255.255\",\"udp_port\":1", "No other worker can reach this UDP IP: '255.255.255.255'")]
    [InlineData(",\"udp_ip\":\"169.254.169.254\",\"udp_port\":1", "No other worker can reach this UDP IP: '169.254.169.254'")]
    [InlineData(",\"udp_ip\":\"127.0.0.1\",\"udp_port\":1", "No other worker can reach this UDP IP: '127.0.0.1'")]
    [InlineData(",\"udp_ip\":\"::1\",\"udp_port\":1", "No other worker can reach this UDP IP: '::1'")]
    public void An_endpoint_that_is_none_is_answered_with_the_bad_value(string members, string detail)
    {
        var world = new WorkerWorld();
        WorldWorker worker = world.Connect("a");
        worker.Send($"{{\"type\":\"update_udp_endpoint\"{members}}}");
        worker.Output.ShouldSay($"{{\"type\":\"udp_endpoint_ack\",\"status\":\"error\",\"detail\":\"{detail}\"}}");
        Assert.True(world.View("a").Endpoint.IsEmpty);
    }

    [Fact]
    public void A_worker_on_this_machine_may_have_a_loopback_endpoint()
    {
        var world = new WorkerWorld();
        world.Connect("a", remote: "127.0.0.1:5").Report("127.0.0.1:41002");
        Assert.Equal("waiting", world.StateOf("a"));
    }

    [Fact]
    public void A_bad_value_is_quoted_up_to_a_length_and_without_control_characters()
    {
        WorldWorker worker = new WorkerWorld().Connect("a");
        worker.Send($$"""{"type":"update_udp_endpoint","udp_ip":"\u001b[2J\u202e{{new string('x', 5000)}}","udp_port":1}""");
        worker.Output.ShouldSay($$"""{"type":"udp_endpoint_ack","status":"error","detail":"Invalid UDP IP: '?[2J?{{new string('x', 59)}}'"}""");
    }

    [Theory]
    [InlineData("203.0.113.7", true)]
    [InlineData("2001:db8::1", true)]
    [InlineData("not an address", false)]
    [InlineData("", false)]
    public void A_reported_address_is_stored_when_it_is_one(string ip, bool isOne)
    {
        var world = new WorkerWorld();
        WorldWorker worker = world.Connect("a");
        worker.Send($$"""{"type":"register_public_ip","ip":"{{ip}}"}""");
        worker.Output.ShouldSayNothing();
        Assert.Equal(isOne ? ip : null, world.View("a").ReportedIp?.ToString());
        Assert.Equal(isOne ? 0 : 1, world.Log.All.Count(l => l.Id == 65));
    }

    public static TheoryData<string> Malformed =>
    [
        "", " ", "\0", "hello", "null", "true", "42", "\"text\"", "[]", """[{"type":"end_pairing"}]""", "{", "}", "{}", """{"type":}""", """{"type":"echo_request" """,
        """{"type":"echo_request","payload":1}}""", """{"type":"echo_request","payload":01}""", """{"type":"echo_request","payload":NaN}""", "{'type':'echo_request'}",
        """{"type":null}""", """{"type":7}""", """{"type":["echo_request"]}""", """{"type":{"type":"echo_request"}}""", """{"type":"no_such_type"}""", """{"type":"ECHO_REQUEST"}""",
        """{"Type":"echo_request"}""", """{"type":"\ud800"}""", "\ufeff{\"type\":\"echo_request\"}", """{"type":"echo_request",}""", """{"type":"echo_request"/**/}""",
        "{\"type\":\"echo_request\",\"payload\":\"\u0001\"}", "{\"type\":\"echo_request\"}{\"type\":\"echo_request\"}",
        """{"\ud800":1}""", """{"type":"echo_request","\udc00":1}""",
    ];

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_is_no_message_is_logged_and_ignored(string frame)
    {
        var world = new WorkerWorld();
        WorldWorker worker = world.Connect("a");
        worker.Send(frame);
        worker.Output.ShouldSayNothing();
        Assert.Single(world.Log.All, l => l.Id == 65);
        worker.Send("""{"type":"echo_request","payload":1}""");
        Assert.Contains("\"original_payload\":1", worker.Output.Next(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_ignored()
    {
        var world = new WorkerWorld();
        WorldWorker worker = world.Connect("a");
        world.Core.Handle(worker.Connection, [0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d], world.Now);
        world.Core.Handle(worker.Connection, Encoding.UTF8.GetBytes("{\"type\":\"").Concat(new byte[] { 0xc3, 0x28, 0x22, 0x7d }).ToArray(), world.Now);
        world.Core.HandleBinary(worker.Connection, 5, world.Now);
        worker.Output.ShouldSayNothing();
        Assert.Equal(3, world.Log.All.Count(l => l.Id == 65));
        Assert.False(worker.Connection.IsClosed);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("AZaz09._~:@-", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("a%20b", false)]
    [InlineData("é", false)]
    [InlineData("a\n", false)]
    public void A_name_has_these_letters(string? text, bool isName) => Assert.Equal(isName, WorkerName.IsName(text));

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void A_name_has_this_length(int length, bool isName) => Assert.Equal(isName, WorkerName.IsName(new string('a', length)));
}
