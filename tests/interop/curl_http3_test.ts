// libcurl over HTTP/3, with ngtcp2 and nghttp3, from Python: the curl of most
// systems has no QUIC.

import { assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { LARGE } from "./_http2_server.ts";
import { UPLOAD, withHttp3Server } from "./_http3_server.ts";
import { benchmarkPackages, peerPath, runWell, succeeds } from "./_peer.ts";

/** CURL_HTTP_VERSION_3. */
const HTTP_3 = 30;
/** One that has the package, if there is any. */
const PYTHON = ["python3", `${benchmarkPackages()}/venv/bin/python`]
  .find((program) => succeeds(program, "-c", "import curl_cffi"));

const LACKS = PYTHON === undefined
  ? "no Python has curl_cffi (pip install curl_cffi)"
  : undefined;

withUnstableNet(import.meta.url, () => {
  netTest("libcurl gets and sends all that it asks for", async () => {
    await withHttp3Server(async ({ port }) => {
      const args = [peerPath("curl_cffi_http3.py"), String(port)];
      assertEquals(JSON.parse(await runWell(PYTHON!, args)), {
        http: HTTP_3,
        hellos: 50,
        version: "3",
        query: "a=b",
        upload: String(UPLOAD),
        refused: "Refused",
        large: LARGE,
        cut: "an error",
        after: "Hello",
        waited: 20,
      });
    });
  }, {
    permissions: ["run", "read", "write", "env"],
    lacks: LACKS,
  });
}, LACKS);
