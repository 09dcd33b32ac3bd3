// aioquic over HTTP/3, from Python.

import { assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { LARGE } from "./_http2_server.ts";
import { UPLOAD, withHttp3Server } from "./_http3_server.ts";
import { benchmarkPackages, peerPath, runWell, succeeds } from "./_peer.ts";

/** It takes a while, all in Python. */
const TIMEOUT_MS = 80_000;
/** One that has the package, if there is any. */
const PYTHON = ["python3", `${benchmarkPackages()}/venv/bin/python`]
  .find((program) => succeeds(program, "-c", "import aioquic"));

const LACKS = PYTHON === undefined
  ? "no Python has aioquic (pip install aioquic)"
  : undefined;

withUnstableNet(import.meta.url, () => {
  netTest("aioquic gets and sends all that it asks for", async () => {
    await withHttp3Server(async ({ port, certificate }) => {
      const args = [peerPath("aioquic_http3.py"), String(port), certificate];
      const output = await runWell(PYTHON!, args, { timeoutMs: TIMEOUT_MS });
      assertEquals(JSON.parse(output), {
        hellos: 50,
        version: "3",
        query: "a=b",
        upload: String(UPLOAD),
        refused: "Refused",
        large: LARGE,
        trailers: [["x-sum", "1"]],
        cut: "an error",
        after: "Hello",
        waited: 20,
      });
    });
  }, {
    timeoutMs: TIMEOUT_MS,
    permissions: ["run", "read", "write", "env"],
    lacks: LACKS,
  });
}, LACKS);
