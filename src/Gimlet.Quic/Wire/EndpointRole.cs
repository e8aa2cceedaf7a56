namespace Gimlet.Quic.Wire;

/// <summary>Which side of a connection: the one that dialled, or the other.</summary>
internal enum EndpointRole
{
    Client,
    Server,
}
