using System.Net;
using System.Net.Sockets;

namespace Gimlet.Sockets;

/// <summary>A UDP socket could not be bound; <see cref="LocalEndPoint"/> and the message say which address and why.</summary>
public sealed class DatagramBindException : SocketException
{
    /// <summary>Wraps what the system said.</summary>
    /// <param name="localEndPoint">The address that was asked for.</param>
    /// <param name="error">The system's error.</param>
    public DatagramBindException(IPEndPoint localEndPoint, SocketError error)
        : base((int)error, $"UDP {localEndPoint} cannot be bound: {Describe(error)}.")
    {
        LocalEndPoint = localEndPoint;
    }

    /// <summary>The address that was asked for.</summary>
    public IPEndPoint LocalEndPoint { get; }

    private static string Describe(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => "the port is in use by another socket",
        SocketError.AddressNotAvailable => "the address is not one of this machine's",
        SocketError.AccessDenied => "permission denied (ports below 1024 usually need a privilege)",
        SocketError.AddressFamilyNotSupported or SocketError.ProtocolFamilyNotSupported => "the address family is not available on this machine",
        _ => error.ToString(),
    };
}
