"""A client of HTTP/3 made of libcurl, ngtcp2 and nghttp3. Prints what it saw as
JSON:

    python3 curl_cffi_http3.py PORT

It needs `pip install curl_cffi`.
"""

import asyncio
import json
import sys

from curl_cffi import CurlHttpVersion
from curl_cffi.requests import AsyncSession
from curl_cffi.requests.exceptions import RequestException

UPLOAD = 10 * 1024 * 1024


async def main(origin):
    options = {"verify": False, "http_version": CurlHttpVersion.V3ONLY}

    async with AsyncSession(**options) as session:

        async def text(path, **more):
            method = "POST" if more else "GET"
            response = await session.request(method, origin + path, timeout=20, **more)
            return response.text

        first = await session.get(origin + "/hello", timeout=20)
        hellos = await asyncio.gather(*[text("/hello") for _ in range(50)])
        seen = json.loads(await text("/seen?a=b"))
        upload = await text("/count", data=b"x" * UPLOAD)
        refused = await text("/refuse", data=b"x" * UPLOAD)
        large = await text("/large")
        try:
            await text("/cut")
            cut = "no error"
        except RequestException as error:
            cut = "an error" if error.code != 28 else "no end"
        after = await text("/hello")
        slow = [asyncio.ensure_future(text("/wait")) for _ in range(20)]
        await asyncio.sleep(0.1)
        await text("/stop")
        waited = [await each for each in slow]
    return {
        "http": int(first.http_version),
        "hellos": hellos.count("Hello"),
        "version": seen["version"],
        "query": seen["query"],
        "upload": upload,
        "refused": refused,
        "large": len(large),
        "cut": cut,
        "after": after,
        "waited": waited.count("Waited"),
    }


print(json.dumps(asyncio.run(main(f"https://localhost:{sys.argv[1]}"))))
