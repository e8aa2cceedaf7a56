"""Two workers in another language: Debian's python3-websockets, no code of ours. Prints every frame as it came, one per line, behind the worker's name.

usage: stock_client.py ws://HOST:PORT
"""

import asyncio
import json
import sys

import websockets

MALFORMED = [
    "",
    " ",
    "hello",
    "null",
    "true",
    "42",
    '"text"',
    "[]",
    '[{"type":"echo_request","payload":1}]',
    "{",
    "{}",
    '{"type":}',
    '{"type":"echo_request"',
    '{"type":"echo_request","payload":1}}',
    '{"type":"echo_request","payload":01}',
    "{'type':'echo_request'}",
    '{"type":null}',
    '{"type":7}',
    '{"type":["echo_request"]}',
    '{"type":"no_such_type","payload":1}',
    '{"type":"ECHO_REQUEST","payload":1}',
    '{"type":"register_public_ip"}',
    '{"type":"register_public_ip","ip":"not an address"}',
    '{"type":"resume_pairing"}',
    '{"type":"resume_pairing","peer_worker_id":{"a":1}}',
    '\ufeff{"type":"echo_request","payload":1}',
    '{"type":"\\ud800"}',
    '{"\\ud800":1}',
    '{"type":"echo_request","\\udc00":1}',
    "[" * 5000,
    b"",
    b"\x00\xff\xfe",
    b'{"type":"echo_request","payload":1}',
]


async def show(name, socket):
    print(name, await asyncio.wait_for(socket.recv(), 20), flush=True)


async def run(base):
    one = await websockets.connect(base + "/ws/register/python-1")
    await one.send(json.dumps({"type": "register_public_ip", "ip": "203.0.113.7"}))
    await one.send(json.dumps({"type": "update_udp_endpoint", "udp_ip": "203.0.113.7", "udp_port": 41002}))
    await show("one", one)
    await one.send(json.dumps({"type": "update_udp_endpoint", "udp_ip": "203.0.113.7"}))
    await show("one", one)
    await one.send(json.dumps({"type": "update_udp_endpoint", "udp_ip": "elsewhere", "udp_port": 1}))
    await show("one", one)
    await one.send(json.dumps({"type": "update_udp_endpoint", "udp_ip": "203.0.113.7", "udp_port": "99999"}))
    await show("one", one)
    await one.send(json.dumps({"type": "echo_request", "payload": {"text": "<\u00e9> & \"q\"", "list": [1, 2.50, None, True]}}))
    await show("one", one)
    await one.send('{"type":"echo_request","payload":  [ 1e2 , "\\u00e9é" ]  }')
    await show("one", one)
    await one.send('{"type":"echo_request"}')
    await show("one", one)
    for frame in MALFORMED:
        await one.send(frame)
    await one.send(json.dumps({"type": "echo_request", "payload": len(MALFORMED)}))
    await show("one", one)

    two = await websockets.connect(base + "/ws/register/python-2")
    await two.send(json.dumps({"type": "update_udp_endpoint", "udp_ip": "2001:db8::7", "udp_port": "41003"}))
    await show("two", two)
    await show("two", two)
    await show("one", one)

    again = await websockets.connect(base + "/ws/register/python-1")
    await asyncio.wait_for(one.wait_closed(), 20)
    print("one closed", one.close_code, one.close_reason, flush=True)
    await again.send(json.dumps({"type": "echo_request", "payload": "still here"}))
    await show("again", again)
    pong = await again.ping()
    await asyncio.wait_for(pong, 20)
    await again.close()
    await two.close()
    print("closed", again.close_code, two.close_code, flush=True)


asyncio.run(run(sys.argv[1]))
