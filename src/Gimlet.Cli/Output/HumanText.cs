using System.Globalization;
using Spectre.Console;

namespace Gimlet.Cli.Output;

/// <summary>Events as lines for people: a word, then what it is about.</summary>
internal static class HumanText
{
    // The longest word of the first column is "discovered".
    private const int FirstColumn = 11;
    private const int ShortId = 10;

    /// <summary>Writes an event.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="news">What happened.</param>
    public static void Write(IAnsiConsole console, CliEvent news)
    {
        switch (news)
        {
            case IdEvent id:
                Raw(console, id.Peer);
                break;
            case DiscoveredEvent discovered:
                WriteDiscovered(console, discovered);
                break;
            case StunFailedEvent failed:
                Line(console, "yellow", "no answer", $"{failed.Server}: {failed.Detail}");
                break;
            case NatEvent nat:
                Line(console, "blue", "NAT", $"{nat.Type} (mapping {nat.Mapping}, filtering {nat.Filtering})");
                Line(console, "grey", string.Empty, nat.Evidence);
                break;
            case DialingEvent dialing:
                Line(console, "blue", "dialling", $"{dialing.Address ?? Short(dialing.Peer)}   call {dialing.Call[..Math.Min(dialing.Call.Length, 8)]}");
                break;
            case ConnectedEvent connected:
                string proven = connected.Authenticated ? string.Empty : "   NOT AUTHENTICATED";
                Line(console, "green", "connected", $"{Short(connected.Peer)}   {connected.Path} {connected.Remote}   after {Ms(connected.ElapsedMs)}{proven}");
                WriteWhy(console, connected.Why);
                break;
            case PathEvent path:
                string now = path.Path is null ? "none" : $"{path.Path} {path.Remote}";
                Line(console, path.Path is null ? "yellow" : "blue", "path", $"{Of(path.Peer)}{now}   {path.Reason}");
                WriteWhy(console, path.Why);
                break;
            case PongEvent pong:
                Line(console, "green", $"pong {pong.Seq}", $"{Ms(pong.RttMs),10}   {pong.Path} {pong.Remote}");
                break;
            case LostEvent lost:
                Line(console, "yellow", $"lost {lost.Seq}", "no answer in time");
                break;
            case PingEvent ping:
                Line(console, "green", $"ping {ping.Seq}", $"{Of(ping.Peer)}{ping.Path} {ping.Remote}");
                break;
            case ClosedEvent closed:
                Line(console, "blue", "closed", Of(closed.Peer) + closed.Reason);
                break;
            case PipeClosedEvent piped:
                Line(console, "blue", "closed", $"{piped.SentBytes} bytes sent, {piped.ReceivedBytes} received   {piped.Reason}");
                break;
            case SummaryEvent summary:
                WriteSummary(console, summary);
                break;
            case BenchEvent bench:
                Line(
                    console,
                    "green",
                    "bench",
                    $"{Rate(bench.BitsPerSecond)}   {bench.Path ?? "no path"}   {bench.Bytes} bytes in {bench.Seconds.ToString("0.0", CultureInfo.InvariantCulture)} s, "
                    + $"CPU {bench.CpuSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s, {bench.RetransmittedBytes} bytes sent again");
                break;
            case StartedEvent started:
                string health = started.Health is null ? "no health check" : $"health check {started.Health}";
                Line(console, "green", "worker", $"{started.WorkerId}   UDP {started.UdpPort}   {health}");
                break;
            case RegisteredEvent registered:
                Line(console, "green", "registered", $"at {registered.Rendezvous}   {(registered.PeerId is null ? "no proven id" : $"as {Short(registered.PeerId)}")}");
                break;
            case EndpointEvent endpoint:
                Line(console, endpoint.Source == "local" ? "yellow" : "green", "endpoint", $"{endpoint.Address}   {endpoint.Explanation}");
                break;
            case OfferEvent offer:
                Line(console, "blue", "offered", $"{offer.PeerWorkerId}   {(offer.PeerId is null ? "by its address only" : Short(offer.PeerId))}");
                break;
            case RendezvousLostEvent lost:
                Line(console, "yellow", "lost", $"the rendezvous: {lost.Reason}   again in {Ms(lost.RetryMs)}");
                break;
            case WarningEvent warning:
                Sentence(console, "yellow", "warning", warning.Message);
                break;
            case ErrorEvent failure:
                Sentence(console, "red", "error", failure.Message);
                Sentence(console, "yellow", "hint", failure.Hint);
                break;
            case StepEvent step:
                Line(console, "green", step.Step, step.Text);
                break;
            default:
                // Tickets and the server's panel are laid out by their commands.
                break;
        }
    }

    /// <summary>Writes text that people will copy: exactly as it is, for a terminal's own line breaks do not get into the copy.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="text">The line.</param>
    public static void Raw(IAnsiConsole console, string text) => console.Profile.Out.Writer.WriteLine(text);

    /// <summary>Writes a line with a coloured first word.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="colour">Of the word.</param>
    /// <param name="word">The word.</param>
    /// <param name="text">The rest.</param>
    public static void Line(IAnsiConsole console, string colour, string word, string text)
    {
        console.Markup($"[{colour}]{Markup.Escape(word.PadRight(FirstColumn))}[/]");
        Hanging(console, text, FirstColumn);
    }

    /// <summary>The beginning of an id, enough to tell peers apart.</summary>
    /// <param name="peer">The id.</param>
    public static string Short(string? peer) => peer is null ? "somebody" : peer[..Math.Min(ShortId, peer.Length)];

    /// <summary>Milliseconds for people.</summary>
    /// <param name="milliseconds">The figure.</param>
    public static string Ms(double milliseconds) => milliseconds.ToString(milliseconds < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + " ms";

    /// <summary>Bits per second for people.</summary>
    /// <param name="bits">The figure.</param>
    public static string Rate(double bits) => bits switch
    {
        >= 1e9 => (bits / 1e9).ToString("0.00", CultureInfo.InvariantCulture) + " Gbit/s",
        >= 1e6 => (bits / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " Mbit/s",
        _ => (bits / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + " kbit/s",
    };

    private static string Of(string? peer) => peer is null ? string.Empty : Short(peer) + "   ";

    private static void Sentence(IAnsiConsole console, string colour, string word, string text)
    {
        console.Markup($"[{colour}]{word}:[/] ");
        Hanging(console, text, word.Length + 2);
    }

    // Lines of a terminal break between words and keep the column; a file gets one line, whatever its length.
    private static void Hanging(IAnsiConsole console, string text, int column)
    {
        if (text.Length + column <= console.Profile.Width)
        {
            Raw(console, text);
            return;
        }

        string margin = string.Empty;
        foreach (string line in TextWrap.Wrap(text, console.Profile.Width - column))
        {
            Raw(console, margin + line);
            margin = new string(' ', column);
        }
    }

    private static void WriteWhy(IAnsiConsole console, string? why)
    {
        if (why is not null)
        {
            Line(console, "grey", string.Empty, $"relayed because {why}");
        }
    }

    private static void WriteDiscovered(IAnsiConsole console, DiscoveredEvent discovered)
    {
        string where = discovered.Server is null ? discovered.Explanation ?? discovered.Source : $"seen by {discovered.Server} in {Ms(discovered.RttMs ?? 0)}";
        (string colour, string word) = discovered.Source switch
        {
            "stun" => ("green", "public"),
            "local" => ("yellow", "local"),
            "cloud-metadata" => ("green", "cloud"),
            _ => ("green", discovered.Source),
        };
        Line(console, colour, word, $"{discovered.Public ?? "unknown"}   {where}");
    }

    private static void WriteSummary(IAnsiConsole console, SummaryEvent summary)
    {
        string times = summary.Received > 0 ? $", min {Ms(summary.MinMs ?? 0)}, avg {Ms(summary.AvgMs ?? 0)}, max {Ms(summary.MaxMs ?? 0)}" : string.Empty;
        Line(console, summary.Received > 0 ? "green" : "red", "summary", $"{summary.Received} of {summary.Sent} answered{times}");
        WriteWhy(console, summary.Why);
        if (summary.WhatWouldHelp is { } help)
        {
            Line(console, "grey", string.Empty, help);
        }
    }
}
