/**
 * Requests that the benchmarks send or parse.
 *
 * @module
 */

/** A small request. */
export const SMALL_REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n";

/**
 * The 30 fields of a browser that follows a link on a site behind a proxy, with
 * a few cookies.
 */
export const BROWSER_FIELDS: readonly (readonly [string, string])[] = [
  ["host", "www.example.com"],
  ["cache-control", "max-age=0"],
  [
    "sec-ch-ua",
    '"Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"',
  ],
  ["sec-ch-ua-mobile", "?0"],
  ["sec-ch-ua-platform", '"Linux"'],
  ["sec-ch-ua-platform-version", '"6.12.0"'],
  ["sec-ch-ua-arch", '"x86"'],
  ["sec-ch-ua-bitness", '"64"'],
  ["sec-ch-ua-full-version", '"140.0.7339.80"'],
  ["sec-ch-ua-model", '""'],
  ["sec-ch-prefers-color-scheme", "dark"],
  ["upgrade-insecure-requests", "1"],
  [
    "user-agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 " +
    "(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  ],
  [
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif," +
    "image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
  ],
  ["sec-fetch-site", "same-origin"],
  ["sec-fetch-mode", "navigate"],
  ["sec-fetch-user", "?1"],
  ["sec-fetch-dest", "document"],
  ["referer", "https://www.example.com/articles?page=2&sort=newest"],
  ["accept-encoding", "gzip, deflate, br, zstd"],
  ["accept-language", "en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7"],
  [
    "cookie",
    "session=c2Vzc2lvbi1pZC1vZi1zb21lYm9keQ; theme=dark; consent=necessary; " +
    "_visits=17; csrftoken=0123456789abcdef0123456789abcdef",
  ],
  ["if-none-match", 'W/"2a-1968f3c5b70"'],
  ["if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT"],
  ["priority", "u=0, i"],
  ["dnt", "1"],
  ["sec-gpc", "1"],
  ["x-forwarded-for", "203.0.113.7"],
  ["x-forwarded-proto", "https"],
  ["x-request-id", "7f3c9a52-6c1e-4d0e-9c66-0f4a2b9d8e11"],
];

/** A request with the fields of a browser. */
export const BROWSER_REQUEST = "GET /articles/1234?page=2 HTTP/1.1\r\n" +
  BROWSER_FIELDS.map(([name, value]) => `${name}: ${value}\r\n`).join("") +
  "\r\n";
