namespace Gimlet.Quic.Tls.Extensions;

/// <summary>The frame around an extension's body.</summary>
internal static class ExtensionWriter
{
    /// <summary>Writes the number and leaves room for the length; ends with <see cref="TlsWriter.End"/> and two bytes.</summary>
    public static int BeginExtension(this TlsWriter writer, ExtensionType type)
    {
        writer.WriteUInt16((ushort)type);
        return writer.Begin(2);
    }

    public static void WriteExtension(this TlsWriter writer, ExtensionType type, ReadOnlySpan<byte> body)
    {
        int mark = writer.BeginExtension(type);
        writer.WriteBytes(body);
        writer.End(mark, 2);
    }

    /// <summary>An extension whose body is one list of 16-bit code points.</summary>
    public static void WriteCodePoints(this TlsWriter writer, ExtensionType type, params ReadOnlySpan<ushort> values)
    {
        int mark = writer.BeginExtension(type);
        int list = writer.Begin(2);
        foreach (ushort value in values)
        {
            writer.WriteUInt16(value);
        }

        writer.End(list, 2);
        writer.End(mark, 2);
    }
}
