"""The application of the comparison for ASGI servers in Python; `x_asgi.ts`
says what it answers."""

HELLO = b"Hello, World!"
TEN_KIBIBYTES = b"x" * (10 * 1024)
STREAMED_PIECE = b"x" * (4 * 1024)
DOWNLOADED_PIECE = b"x" * (64 * 1024)
DOWNLOADED_PIECES = 1600
MEBIBYTE_PIECES = 16
PLAIN = (b"content-type", b"text/plain")


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return await run_lifespan(receive, send)
    if scope["type"] == "websocket":
        return await echo_messages(receive, send)
    path = scope["path"]
    if path == "/":
        await answer(send, HELLO)
    elif path == "/10k":
        await answer(send, TEN_KIBIBYTES)
    elif path == "/echo":
        await answer(send, b"".join([piece async for piece in pieces(receive)]))
    elif path == "/upload":
        length = 0
        async for piece in pieces(receive):
            length += len(piece)
        await answer(send, str(length).encode())
    elif path == "/stream":
        await stream(send, STREAMED_PIECE, 16, [PLAIN])
    elif path == "/1m":
        await download(send, MEBIBYTE_PIECES)
    elif path == "/download":
        await download(send, DOWNLOADED_PIECES)
    else:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def answer(send, body):
    headers = [PLAIN, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def download(send, count):
    length = str(len(DOWNLOADED_PIECE) * count).encode()
    headers = [PLAIN, (b"content-length", length)]
    await stream(send, DOWNLOADED_PIECE, count, headers)


async def stream(send, piece, count, headers):
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for left in range(count - 1, -1, -1):
        await send(
            {"type": "http.response.body", "body": piece, "more_body": left > 0}
        )


async def pieces(receive):
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return
        yield event.get("body", b"")
        if not event.get("more_body", False):
            return


async def echo_messages(receive, send):
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif event["type"] == "websocket.receive":
            if event.get("text") is not None:
                await send({"type": "websocket.send", "text": event["text"]})
            else:
                await send({"type": "websocket.send", "bytes": event["bytes"]})
        else:
            return


async def run_lifespan(receive, send):
    while True:
        event = await receive()
        await send({"type": event["type"] + ".complete"})
        if event["type"] == "lifespan.shutdown":
            return
