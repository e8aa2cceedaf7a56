namespace Gimlet.Quic.Tls.Messages;

/// <summary>The frame around a message's body: one byte type, three bytes length.</summary>
internal static class HandshakeWriter
{
    /// <summary>Ends with <see cref="TlsWriter.End"/> and three bytes.</summary>
    public static int BeginMessage(this TlsWriter writer, HandshakeType type)
    {
        writer.WriteByte((byte)type);
        return writer.Begin(3);
    }
}
