namespace Gimlet.Sockets.Linux;

/// <summary>The error numbers that sending and receiving can return, and what they mean for a datagram.</summary>
internal static class Errno
{
    public const int Interrupted = 4; // EINTR
    public const int InputOutput = 5; // EIO
    public const int TryAgain = 11; // EAGAIN
    public const int Invalid = 22; // EINVAL
    public const int MessageSize = 90; // EMSGSIZE
    public const int NoBuffers = 105; // ENOBUFS

    private const int NotPermitted = 1; // EPERM
    private const int AccessDenied = 13; // EACCES
    private const int NoDevice = 19; // ENODEV
    private const int NoNetwork = 64; // ENONET
    private const int FamilyNotSupported = 97; // EAFNOSUPPORT
    private const int AddressNotAvailable = 99; // EADDRNOTAVAIL
    private const int NetworkDown = 100; // ENETDOWN
    private const int NetworkUnreachable = 101; // ENETUNREACH
    private const int ConnectionRefused = 111; // ECONNREFUSED
    private const int HostDown = 112; // EHOSTDOWN
    private const int HostUnreachable = 113; // EHOSTUNREACH

    /// <summary>Turns the error of a send into its result.</summary>
    /// <param name="errno">The error.</param>
    /// <param name="chosenSource">
    /// Whether a local address to send from was given: the kernel answers EINVAL when it is not this machine's.
    /// </param>
    public static DatagramSendResult ToSendResult(int errno, bool chosenSource) => errno switch
    {
        TryAgain or NoBuffers => DatagramSendResult.WouldBlock,
        NetworkUnreachable or HostUnreachable or AddressNotAvailable or NetworkDown or HostDown or NoDevice or NoNetwork
            or FamilyNotSupported => DatagramSendResult.Unreachable,
        Invalid when chosenSource => DatagramSendResult.Unreachable,
        ConnectionRefused => DatagramSendResult.Refused,
        MessageSize => DatagramSendResult.TooLarge,
        NotPermitted or AccessDenied => DatagramSendResult.Denied,
        _ => DatagramSendResult.Failed,
    };
}
