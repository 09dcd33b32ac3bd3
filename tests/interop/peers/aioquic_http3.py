"""A client of HTTP/3 made of aioquic. Prints what it saw as JSON:

    python3 aioquic_http3.py PORT CERTIFICATE

It needs `pip install aioquic`.
"""

import asyncio
import json
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset

UPLOAD = 10 * 1024 * 1024


class Response:
    def __init__(self):
        self.status = None
        self.content = b""
        self.trailers = []
        self.done = asyncio.get_running_loop().create_future()


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.responses = {}

    def quic_event_received(self, event):
        if isinstance(event, StreamReset):
            self.fail(event.stream_id, "reset")
        elif isinstance(event, ConnectionTerminated):
            for stream_id in list(self.responses):
                self.fail(stream_id, f"closed by {event.error_code:#x}")
        for event in self.http.handle_event(event):
            self.http_event_received(event)

    def http_event_received(self, event):
        response = self.responses.get(getattr(event, "stream_id", None))
        if response is None:
            return
        if isinstance(event, HeadersReceived):
            headers = dict(event.headers)
            if response.status is None or response.status < 200:
                response.status = int(headers[b":status"])
            else:
                response.trailers = event.headers
        elif isinstance(event, DataReceived):
            response.content += event.data
        if getattr(event, "stream_ended", False) and not response.done.done():
            response.done.set_result(response)

    def fail(self, stream_id, reason):
        response = self.responses[stream_id]
        if not response.done.done():
            response.done.set_exception(ConnectionError(reason))

    async def request(self, path, content=b"", method=None):
        stream_id = self._quic.get_next_available_stream_id()
        response = self.responses[stream_id] = Response()
        fields = [
            (b":method", (method or ("POST" if content else "GET")).encode()),
            (b":scheme", b"https"),
            (b":authority", b"localhost"),
            (b":path", path.encode()),
        ]
        self.http.send_headers(stream_id, fields, end_stream=not content)
        if content:
            self.http.send_data(stream_id, content, end_stream=True)
        self.transmit()
        return await asyncio.wait_for(response.done, 40)


async def text(client, *args):
    return (await client.request(*args)).content.decode()


async def failure(client, path):
    try:
        await client.request(path)
        return "no error"
    except (ConnectionError, asyncio.TimeoutError) as error:
        return "an error" if str(error) else "no end"


async def stop(client):
    """Requests in flight when the server begins to stop, and one after."""
    slow = [asyncio.ensure_future(text(client, "/wait")) for _ in range(20)]
    await text(client, "/stop")
    return [await each for each in slow].count("Waited")


async def main(port, certificate):
    def connected():
        configuration = QuicConfiguration(
            is_client=True, alpn_protocols=H3_ALPN, server_name="localhost"
        )
        configuration.load_verify_locations(cafile=certificate)
        return connect(
            "127.0.0.1", port, configuration=configuration, create_protocol=Client
        )

    async with connected() as client:
        hellos = await asyncio.gather(*[text(client, "/hello") for _ in range(50)])
        seen = json.loads(await text(client, "/seen?a=b"))
        upload = await text(client, "/count", b"x" * UPLOAD)
        refused = await text(client, "/refuse", b"x" * UPLOAD)
        large = await text(client, "/large")
        trailers = (await client.request("/trailers")).trailers
    async with connected() as client:
        cut = await failure(client, "/cut")
    async with connected() as client:
        after = await text(client, "/hello")
        waited = await stop(client)
    return {
        "hellos": hellos.count("Hello"),
        "version": seen["version"],
        "query": seen["query"],
        "upload": upload,
        "refused": refused,
        "large": len(large),
        "trailers": [[name.decode(), value.decode()] for name, value in trailers],
        "cut": cut,
        "after": after,
        "waited": waited,
    }


print(json.dumps(asyncio.run(main(int(sys.argv[1]), sys.argv[2]))))
