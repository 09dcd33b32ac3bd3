"""A client of httpx with HTTP/2. Prints what it saw as JSON:

    python3 httpx_http2.py ORIGIN [CERTIFICATE]

It needs `pip install "httpx[http2]"`.
"""

import asyncio
import json
import ssl
import sys

import httpx

LARGE = 8 * 1024 * 1024


async def pieces():
    for _ in range(LARGE // 65536):
        yield b"x" * 65536


async def main(origin, certificate=None):
    verify = True
    if certificate is not None:
        verify = ssl.create_default_context(cafile=certificate)
    clear = certificate is None
    async with httpx.AsyncClient(
        base_url=origin, http1=not clear, http2=True, verify=verify, trust_env=False
    ) as client:
        hellos = await asyncio.gather(*[client.get("/hello") for _ in range(50)])
        hinted = await client.get("/hints")
        seen = (await client.get("/seen?a=b")).json()
        ports = {(await client.get("/seen")).json()["port"] for _ in range(3)}
        upload = await client.post("/count", content=pieces())
        head = await client.head("/large")
        large = await client.get("/large")
        try:
            await client.get("/cut")
            cut = "no error"
        except httpx.RemoteProtocolError:
            cut = "an error"
        after = await client.get("/hello")
    return {
        "versions": sorted({hello.http_version for hello in hellos}),
        "hellos": [hello.text for hello in hellos].count("Hello"),
        "hinted": hinted.text,
        "version": seen["version"],
        "query": seen["query"],
        "connections": len(ports),
        "upload": upload.text,
        "head": head.headers["content-length"],
        "large": len(large.content),
        "cut": cut,
        "after": after.text,
    }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
