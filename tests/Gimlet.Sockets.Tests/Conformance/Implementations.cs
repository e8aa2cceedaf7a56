using System.Net;

namespace Gimlet.Sockets.Tests.Conformance;

public sealed class BestOverIPv4() : DatagramSocketConformance(DatagramSocketImplementation.Best, IPAddress.Loopback);

public sealed class BestOverIPv6() : DatagramSocketConformance(DatagramSocketImplementation.Best, IPAddress.IPv6Loopback);

public sealed class LinuxWithoutBatchesOverIPv4() : DatagramSocketConformance(DatagramSocketImplementation.LinuxWithoutBatches, IPAddress.Loopback);

public sealed class LinuxWithoutBatchesOverIPv6()
    : DatagramSocketConformance(DatagramSocketImplementation.LinuxWithoutBatches, IPAddress.IPv6Loopback);

public sealed class LinuxWithoutOffloadsOverIPv4()
    : DatagramSocketConformance(DatagramSocketImplementation.LinuxWithoutOffloads, IPAddress.Loopback);

public sealed class LinuxWithoutOffloadsOverIPv6()
    : DatagramSocketConformance(DatagramSocketImplementation.LinuxWithoutOffloads, IPAddress.IPv6Loopback);

public sealed class LinuxRefusingSegmentationOverIPv4()
    : DatagramSocketConformance(DatagramSocketImplementation.LinuxRefusingSegmentation, IPAddress.Loopback);

public sealed class LinuxRefusingSegmentationOverIPv6()
    : DatagramSocketConformance(DatagramSocketImplementation.LinuxRefusingSegmentation, IPAddress.IPv6Loopback);

public sealed class PortableOverIPv4() : DatagramSocketConformance(DatagramSocketImplementation.Portable, IPAddress.Loopback);

public sealed class PortableOverIPv6() : DatagramSocketConformance(DatagramSocketImplementation.Portable, IPAddress.IPv6Loopback);
