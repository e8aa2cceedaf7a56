using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Gimlet.Sockets.Linux;

namespace Gimlet.Sockets.Tests.Linux;

public sealed class KernelInterfaceTests
{
    [Fact]
    public void Structures_have_the_sizes_of_64_bit_Linux()
    {
        Assert.Equal(16, Unsafe.SizeOf<IoVector>());
        Assert.Equal(56, Unsafe.SizeOf<MessageHeader>());
        Assert.Equal(64, Unsafe.SizeOf<BatchHeader>());
        Assert.Equal(8, Unsafe.SizeOf<PollDescriptor>());
    }

    [Theory]
    [InlineData(11, false, DatagramSendResult.WouldBlock)] // EAGAIN
    [InlineData(105, false, DatagramSendResult.WouldBlock)] // ENOBUFS
    [InlineData(101, false, DatagramSendResult.Unreachable)] // ENETUNREACH
    [InlineData(113, false, DatagramSendResult.Unreachable)] // EHOSTUNREACH
    [InlineData(100, false, DatagramSendResult.Unreachable)] // ENETDOWN
    [InlineData(99, false, DatagramSendResult.Unreachable)] // EADDRNOTAVAIL
    [InlineData(97, false, DatagramSendResult.Unreachable)] // EAFNOSUPPORT
    [InlineData(19, false, DatagramSendResult.Unreachable)] // ENODEV
    [InlineData(22, true, DatagramSendResult.Unreachable)] // EINVAL: not our address to send from
    [InlineData(22, false, DatagramSendResult.Failed)]
    [InlineData(111, false, DatagramSendResult.Refused)] // ECONNREFUSED
    [InlineData(90, false, DatagramSendResult.TooLarge)] // EMSGSIZE
    [InlineData(1, false, DatagramSendResult.Denied)] // EPERM
    [InlineData(13, false, DatagramSendResult.Denied)] // EACCES
    [InlineData(12, false, DatagramSendResult.Failed)] // ENOMEM
    public void Every_error_number_has_its_result(int errno, bool chosenSource, DatagramSendResult expected) =>
        Assert.Equal(expected, Errno.ToSendResult(errno, chosenSource));

    [Theory]
    [InlineData("192.0.2.1:443", 16)]
    [InlineData("[2001:db8::1]:3478", 28)]
    [InlineData("[fe80::1%7]:9", 28)]
    public void A_socket_name_reads_back_from_a_dirty_buffer(string text, int length)
    {
        TransportAddress address = TransportAddress.Parse(text);
        byte[] name = new byte[SocketName.MaxLength];
        name.AsSpan().Fill(0xff);
        Assert.Equal((uint)length, SocketName.Write(name, address));
        Assert.Equal(address, SocketName.Read(name.AsSpan(0, length)));
        Assert.True(SocketName.Read(name.AsSpan(0, 15)).IsEmpty);
    }

    [Fact]
    public void A_socket_name_of_another_family_is_empty()
    {
        byte[] name = new byte[SocketName.MaxLength];
        BinaryPrimitives.WriteUInt16LittleEndian(name, 1); // AF_UNIX
        Assert.True(SocketName.Read(name).IsEmpty);
    }

    [Theory]
    [InlineData("192.0.2.1:443", 0, 32)]
    [InlineData("192.0.2.1:443", 5, 56)]
    [InlineData("[2001:db8::1]:443", 0, 40)]
    [InlineData("[2001:db8::1]:443", 5, 64)]
    [InlineData("[fe80::1%7]:443", 5, 64)]
    public void Packet_info_reads_back_and_ends_where_its_length_says(string text, byte timeToLive, int length)
    {
        TransportAddress from = TransportAddress.Parse(text);
        byte[] control = new byte[ControlMessages.MaxLength];
        control.AsSpan().Fill(0xff);
        Assert.Equal(length, ControlMessages.Write(control, from.IsIPv6, from, new DatagramSendOptions { TimeToLive = timeToLive }));
        Assert.Equal(from, ReadLocal(control.AsSpan(0, length), from.Port));
        Assert.True(control.AsSpan(length).IndexOfAnyExcept((byte)0xff) < 0);
    }

    [Theory]
    [InlineData("192.0.2.1:443", EcnMark.Ect0, 104)]
    [InlineData("[fe80::1%7]:443", EcnMark.Ce, 112)]
    public void All_control_messages_of_a_send_fit_and_those_that_come_back_read_the_same(string text, EcnMark mark, int length)
    {
        TransportAddress from = TransportAddress.Parse(text);
        byte[] control = new byte[ControlMessages.MaxLength];
        control.AsSpan().Fill(0xff);
        int written = ControlMessages.Write(control, from.IsIPv6, from, new DatagramSendOptions { TimeToLive = 5, Ecn = mark });
        int end = written + ControlMessages.WriteSegmentSize(control.AsSpan(written), 1200);
        Assert.Equal(length, end);
        Assert.True(control.AsSpan(end).IndexOfAnyExcept((byte)0xff) < 0);
        ControlMessages.Read(control.AsSpan(0, end), from.Port, out TransportAddress local, out EcnMark ecn, out int segmentSize);
        Assert.Equal((from, mark, 0), (local, ecn, segmentSize)); // UDP_SEGMENT is for sending only
    }

    [Theory]
    [InlineData(1200, 1200)]
    [InlineData(-5, 0)]
    public void The_length_of_joined_datagrams_is_read_and_never_negative(int said, int read)
    {
        byte[] control = new byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(control, 20);
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(8), Constants.SolUdp);
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(12), Constants.UdpReceiveOffload);
        BinaryPrimitives.WriteInt32LittleEndian(control.AsSpan(16), said);
        ControlMessages.Read(control, 1, out _, out _, out int segmentSize);
        Assert.Equal(read, segmentSize);
        ControlMessages.Read(control.AsSpan(0, 19), 1, out _, out _, out segmentSize);
        Assert.Equal(0, segmentSize);
    }

    [Fact]
    public void Without_choices_there_is_no_control_message()
    {
        Assert.Equal(0, ControlMessages.Write([], ipv6: false, default, default));
        Assert.Equal(0, ControlMessages.Write([], ipv6: true, default, default));
    }

    [Fact]
    public void Control_messages_cut_or_mutated_anywhere_are_read_without_an_exception()
    {
        TransportAddress from = TransportAddress.Parse("[fe80::1%7]:443");
        byte[] control = new byte[ControlMessages.MaxLength];
        int length = ControlMessages.Write(control, ipv6: true, from, new DatagramSendOptions { TimeToLive = 3, Ecn = EcnMark.Ce });
        for (int cut = 0; cut < 36; cut++)
        {
            Assert.True(ReadLocal(control.AsSpan(0, cut), 1).IsEmpty);
        }

        var random = new Random(1);
        for (int i = 0; i < 10_000; i++)
        {
            byte[] mutated = control.AsSpan(0, random.Next(length + 1)).ToArray();
            for (int flips = random.Next(4); flips > 0 && mutated.Length > 0; flips--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            _ = ReadLocal(mutated, 1);
            _ = ControlMessages.FindExtendedError(mutated);
        }
    }

    private static TransportAddress ReadLocal(ReadOnlySpan<byte> control, int port)
    {
        ControlMessages.Read(control, port, out TransportAddress local, out _, out _);
        return local;
    }
}
