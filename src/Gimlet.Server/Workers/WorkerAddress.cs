using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gimlet.Signalling;
using Gimlet.Sockets;

namespace Gimlet.Server.Workers;

/// <summary>
/// The addresses that workers report. Another worker will send datagrams to them, so what no worker can have is refused: unspecified, multicast, broadcast and
/// link-local addresses (a cloud's metadata service has one of these), and loopback ones unless the worker is on this machine itself.
/// </summary>
internal static class WorkerAddress
{
    /// <summary>What is quoted of a bad value: an IPv6 address with its zone is shorter.</summary>
    private const int QuotedLength = 64;

    /// <summary>Reads an endpoint.</summary>
    /// <param name="ip">The address as text.</param>
    /// <param name="port">The port as text.</param>
    /// <param name="fromLoopback">Whether the worker's own connection comes from this machine.</param>
    /// <param name="endpoint">The endpoint, where it is one.</param>
    /// <returns>Null, or what is wrong, for the worker.</returns>
    public static string? ReadEndpoint(string? ip, string? port, bool fromLoopback, out TransportAddress endpoint)
    {
        endpoint = default;
        if (string.IsNullOrEmpty(ip) || string.IsNullOrEmpty(port))
        {
            return "Missing UDP IP or Port";
        }

        if (!TryReadIp(ip, out IPAddress? address))
        {
            return $"Invalid UDP IP: {Quote(ip)}";
        }

        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number) || number == 0)
        {
            return $"Invalid UDP Port: {Quote(port)}";
        }

        var read = new TransportAddress(address, number);
        if (read.IsUnspecified || read.IsMulticast || read.IsBroadcast || read.IsLinkLocal || (read.IsLoopback && !fromLoopback))
        {
            return $"No other worker can reach this UDP IP: {Quote(ip)}";
        }

        endpoint = read;
        return null;
    }

    /// <summary>Reads an IP address: four decimal parts, or IPv6 without a zone. <c>1</c>, <c>0x7f.1</c> and <c>010.0.0.1</c> are addresses to some libraries and to no person.</summary>
    public static bool TryReadIp(string? text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        if (text is null || text.Contains('%', StringComparison.Ordinal) || text.Contains('[', StringComparison.Ordinal) || !IPAddress.TryParse(text, out IPAddress? read)
            || (read.AddressFamily == AddressFamily.InterNetwork && read.ToString() != text))
        {
            return false;
        }

        address = read.IsIPv4MappedToIPv6 ? read.MapToIPv4() : read;
        return true;
    }

    public static string Quote(string? text) => $"'{PlainText.Of(text?.Length > QuotedLength ? text[..QuotedLength] : text, "")}'";
}
