using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Gimlet.Sockets.Linux;

/// <summary>The socket's error queue (IP_RECVERR, ip(7)): which datagram an ICMP message was about.</summary>
internal static class ErrorQueue
{
    // enum of sock_extended_err.ee_origin
    private const byte OriginLocal = 1;
    private const byte OriginIcmp = 2;
    private const byte OriginIcmp6 = 3;

    /// <summary>
    /// Takes one error, without blocking. Passes over what the kernel itself had against a send, mostly its size: the send has
    /// returned that, and the report has no port. A receive buffer full of such reports is the most there can be.
    /// </summary>
    public static bool TryRead(SafeHandle socket, out DatagramError error)
    {
        bool local;
        do
        {
            if (!TryReadAny(socket, out error, out local))
            {
                return false;
            }
        }
        while (local);

        return true;
    }

    private static unsafe bool TryReadAny(SafeHandle socket, out DatagramError error, out bool local)
    {
        byte* name = stackalloc byte[SocketName.MaxLength];
        byte* control = stackalloc byte[ControlMessages.MaxLength];
        MessageHeader message = new()
        {
            Name = name,
            NameLength = SocketName.MaxLength,
            Control = control,
            ControlLength = ControlMessages.MaxLength,
        };

        // No vectors: the payload of the datagram that failed is of no interest, its destination is the name.
        nint result;
        do
        {
            result = Libc.ReceiveMessage(socket, &message, Constants.MsgErrorQueue | Constants.MsgDontWait);
        }
        while (result < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);

        if (result < 0)
        {
            error = default;
            local = false;
            return false;
        }

        ReadOnlySpan<byte> extendedError = ControlMessages.FindExtendedError(new ReadOnlySpan<byte>(control, (int)message.ControlLength));
        local = extendedError.Length >= 8 && extendedError[4] == OriginLocal;
        error = new DatagramError(SocketName.Read(new ReadOnlySpan<byte>(name, (int)message.NameLength)), Kind(extendedError));
        return true;
    }

    // struct sock_extended_err: errno (4), origin (1), type (1), code (1), ...
    private static DatagramErrorKind Kind(ReadOnlySpan<byte> extendedError)
    {
        if (extendedError.Length < 8)
        {
            return DatagramErrorKind.Other;
        }

        byte origin = extendedError[4];
        byte type = extendedError[5];
        byte code = extendedError[6];
        switch (origin)
        {
            case OriginIcmp when type == 11 || (type == 3 && code is 9 or 10 or 13):
                // RFC 792 "time exceeded"; RFC 1812 section 5.2.7.1 "administratively prohibited"
                return type == 11 ? DatagramErrorKind.TimeToLiveExceeded : DatagramErrorKind.Denied;
            case OriginIcmp6 when type == 3 || (type == 1 && code is 1 or 5):
                // RFC 4443 sections 3.3 and 3.1
                return type == 3 ? DatagramErrorKind.TimeToLiveExceeded : DatagramErrorKind.Denied;
        }

        return Errno.ToSendResult(BinaryPrimitives.ReadInt32LittleEndian(extendedError), chosenSource: false) switch
        {
            DatagramSendResult.Refused => DatagramErrorKind.Refused,
            DatagramSendResult.Unreachable => DatagramErrorKind.Unreachable,
            DatagramSendResult.TooLarge => DatagramErrorKind.TooLarge,
            DatagramSendResult.Denied => DatagramErrorKind.Denied,
            _ => DatagramErrorKind.Other,
        };
    }
}
