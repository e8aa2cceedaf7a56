using System.Net.Sockets;

namespace Gimlet.Sockets;

/// <summary>Options of the system that the framework has no name for.</summary>
internal static class SocketOption
{
    /// <summary>Sets an option whose value is an int; false when the system does not have it: the caller reports a missing capability.</summary>
    public static bool TrySet(Socket socket, int level, int option, int value)
    {
        try
        {
            socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
