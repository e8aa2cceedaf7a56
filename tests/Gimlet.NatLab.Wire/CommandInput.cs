using System.Runtime.InteropServices;
using System.Text;

namespace Gimlet.NatLab.Wire;

/// <summary>Command lines from a descriptor that the loop polls; one answer line on standard output for each.</summary>
internal sealed unsafe class CommandInput(int descriptor, WireSet wires)
{
    private readonly byte[] _buffer = new byte[4096];
    private readonly StringBuilder _unfinished = new();

    /// <summary>Reads what is there. False once the input has ended.</summary>
    internal bool Read()
    {
        nint length;
        fixed (byte* pointer = _buffer)
        {
            length = Kernel.Read(descriptor, pointer, (nuint)_buffer.Length);
        }

        if (length <= 0)
        {
            return length < 0 && Marshal.GetLastPInvokeError() == Kernel.ErrorInterrupted;
        }

        _unfinished.Append(Encoding.ASCII.GetString(_buffer.AsSpan(0, (int)length)));
        var lines = _unfinished.ToString().Split('\n');
        foreach (var line in lines[..^1])
        {
            Console.Out.WriteLine(wires.Execute(line));
        }

        _unfinished.Clear().Append(lines[^1]);
        return true;
    }
}
