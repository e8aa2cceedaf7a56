using Gimlet.Server.Tests.Support;
using Gimlet.Signalling;

namespace Gimlet.Server.Tests.Rendezvous;

public sealed class ForeignWordsTests
{
    private const string Nasty = "\u001b[2Jgone\r\n2026-01-01 Server is open to everyone \u202Etxt";

    [Fact]
    public void What_nodes_write_ends_no_line_of_the_log_and_moves_nobodys_cursor()
    {
        var log = new LogLines();
        var world = new World(o => o with { Logger = log });
        WorldNode caller = world.Register();
        WorldNode callee = world.Register("203.0.113.2:1", AcceptMode.OnAccept);

        caller.Send(caller.Node.Call(callee.Id) with { Call = Nasty });
        _ = caller.Output.Next<RejectMessage>();
        caller.Send(caller.Node.Call(callee.Id) with { Target = Nasty[..7] + new string('a', 49) });
        Assert.DoesNotContain(caller.Output.Next<RejectMessage>().Detail!, char.IsControl);
        caller.SendRaw("{\"type\":\"ping\",\"\\r\\nid\":{\"id\\n\":1},\"id\":\"\\u001b\"}"u8);
        Assert.DoesNotContain(caller.Output.Next<ErrorMessage>().Detail!, char.IsControl);

        string call = caller.Call(callee);
        callee.Send(new RejectMessage { Call = call, Reason = RejectReason.Refused, Detail = Nasty });
        RejectMessage told = caller.Output.Next<RejectMessage>();
        Assert.Equal(call, told.Call);
        Assert.DoesNotContain(told.Detail!, char.IsControl);
        Assert.DoesNotContain('\u202E', told.Detail!);
        Assert.All(log.All, line => Assert.DoesNotContain(line.Text, char.IsControl));
    }

    [Fact]
    public void A_call_id_of_any_length_is_not_sent_back()
    {
        var world = new World();
        WorldNode caller = world.Register();
        caller.Send(caller.Node.Call(caller.Id) with { Call = new string('7', 10_000) });
        Assert.Null(caller.Output.Next<RejectMessage>().Call);
    }
}
