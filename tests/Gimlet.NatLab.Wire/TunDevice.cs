using System.Text;

namespace Gimlet.NatLab.Wire;

/// <summary>
/// One end of a wire: a layer-3 TUN device inside a namespace. Layer 3 and not TAP, because a TAP link would resolve neighbours
/// across the delay (one more round trip before the first packet) and would carry link-local and multicast traffic.
/// </summary>
internal sealed unsafe class TunDevice : IDisposable
{
    private const short Tun = 1; // IFF_TUN
    private const short NoPacketInfo = 0x1000; // IFF_NO_PI: a read is one bare IP packet
    private const int NameBytes = 16; // IFNAMSIZ, with its final zero
    private const int RequestBytes = 40; // sizeof(struct ifreq)

    private TunDevice(int descriptor) => Descriptor = descriptor;

    /// <summary>Non-blocking.</summary>
    internal int Descriptor { get; private set; }

    /// <summary>Creates the device. The calling thread is moved into the namespace (a TUN device belongs to the namespace where it was opened).</summary>
    internal static TunDevice Create(string networkNamespace, string name)
    {
        NetworkNamespace.Enter(networkNamespace);
        var descriptor = Kernel.Open("/dev/net/tun", Kernel.OpenReadWrite | Kernel.OpenNonBlocking | Kernel.OpenCloseOnExec);
        if (descriptor < 0)
        {
            throw Kernel.Failure("open /dev/net/tun");
        }

        Span<byte> request = stackalloc byte[RequestBytes];
        request.Clear();
        if (Encoding.ASCII.GetBytes(name, request[..(NameBytes - 1)]) == 0)
        {
            throw new ArgumentException("A device needs a name.", nameof(name));
        }

        BitConverter.TryWriteBytes(request[NameBytes..], (short)(Tun | NoPacketInfo));
        fixed (byte* pointer = request)
        {
            if (Kernel.Control(descriptor, Kernel.TunSetInterface, pointer) < 0)
            {
                var failure = Kernel.Failure($"TUNSETIFF {name} in {networkNamespace}");
                _ = Kernel.Close(descriptor);
                throw failure;
            }
        }

        return new TunDevice(descriptor);
    }

    /// <summary>Removes the device: it is not persistent.</summary>
    public void Dispose()
    {
        if (Descriptor >= 0)
        {
            _ = Kernel.Close(Descriptor);
            Descriptor = -1;
        }
    }
}
