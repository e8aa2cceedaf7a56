using System.Buffers.Binary;
using System.Globalization;
using Gimlet.Quic.Interop.Peers;

namespace Gimlet.Quic.Interop.Ours;

/// <summary>Serves the requests of <c>gimlet-interop</c> (tests/peers/README.md) on a connection, whichever side opened it, until it ends.</summary>
internal sealed class RequestServer(QuicConnection connection, CancellationToken cancellationToken)
{
    // The code of a stream that is reset because its request is not understood.
    private const long BadRequest = 1;

    public async Task ServeAsync()
    {
        var requests = new List<Task> { EchoDatagramsAsync() };
        try
        {
            while (true)
            {
                QuicStream stream = await connection.AcceptStreamAsync(cancellationToken);
                requests.Add(ServeAsync(stream));
            }
        }
        catch (QuicException)
        {
            // The connection has ended, as connections do; how it ended is for the test to look at.
        }

        await Task.WhenAll(requests);
    }

    private async Task ServeAsync(QuicStream stream)
    {
        try
        {
            await using (stream)
            {
                if (stream.CanWrite)
                {
                    await AnswerAsync(new RequestReader(stream), stream, stream);
                    return;
                }

                await using QuicStream answer = await connection.OpenStreamAsync(QuicStreamType.Unidirectional, cancellationToken);
                await AnswerAsync(new RequestReader(stream), stream, answer);
            }
        }
        catch (QuicException)
        {
            // The peer gave the stream or the connection up, which many requests ask it to do.
        }
    }

    private async Task AnswerAsync(RequestReader body, QuicStream receive, QuicStream send)
    {
        string line = await body.LineAsync(cancellationToken);
        string[] words = line.Split(' ');
        long first = words.Length > 1 ? long.Parse(words[1], CultureInfo.InvariantCulture) : 0;
        switch (words[0])
        {
            case "GET":
                await send.WritePatternAsync(first, cancellationToken);
                break;
            case "PUT":
                (long count, string sha256) = await body.DigestAsync(cancellationToken);
                if (count == first)
                {
                    await send.WriteLineAsync(sha256, isEnd: true, cancellationToken);
                }
                else
                {
                    send.Abort(QuicAbortDirection.Write, BadRequest);
                }

                break;
            case "ECHO":
                while (await body.NextAsync(cancellationToken) is { IsEmpty: false } bytes)
                {
                    await send.WriteAsync(bytes, cancellationToken);
                }

                send.CompleteWrites();
                break;
            case "DATAGRAMS":
                await SendDatagramsAsync(send, first, int.Parse(words[2], CultureInfo.InvariantCulture));
                break;
            case "RESET":
                send.Abort(QuicAbortDirection.Write, first);
                break;
            case "STOP":
                receive.Abort(QuicAbortDirection.Read, first);
                break;
            case "CLOSE":
                await connection.CloseAsync(first, "as asked", cancellationToken);
                break;
            case "CALL":
                await CallAsync(send, first);
                break;
            case "REKEY":
                await send.WriteLineAsync(connection.UpdateKeys() ? "yes" : "no", isEnd: true, cancellationToken);
                break;
            default:
                send.Abort(QuicAbortDirection.Write, BadRequest);
                receive.Abort(QuicAbortDirection.Read, BadRequest);
                break;
        }
    }

    private async Task CallAsync(QuicStream answer, long count)
    {
        await using QuicStream call = await connection.OpenStreamAsync(QuicStreamType.Bidirectional, cancellationToken);
        await answer.WriteLineAsync(await call.CallEchoAsync(count, cancellationToken), isEnd: true, cancellationToken);
    }

    private async Task SendDatagramsAsync(QuicStream answer, long count, int size)
    {
        byte[] datagram = new byte[size];
        InteropPattern.Fill(datagram, 0);
        for (long i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(datagram, i);
            if (connection.SendDatagram(datagram) != QuicDatagramSendResult.Queued)
            {
                break;
            }
        }

        await answer.WriteLineAsync(count.ToString(CultureInfo.InvariantCulture), isEnd: true, cancellationToken);
    }

    private async Task EchoDatagramsAsync()
    {
        byte[] buffer = new byte[ushort.MaxValue];
        try
        {
            while (true)
            {
                int length = await connection.ReceiveDatagramAsync(buffer, cancellationToken);

                // Full or too large: lost, as datagrams may be.
                _ = connection.SendDatagram(buffer.AsSpan(0, length));
            }
        }
        catch (QuicException)
        {
            // The connection has ended.
        }
    }
}
