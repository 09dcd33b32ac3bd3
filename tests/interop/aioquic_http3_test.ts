// aioquic over HTTP/3, from Python.

import { assertEquals } from "@std/assert";
import { netTest } from "../e2e/_testing.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { LARGE } from "./_http2_server.ts";
import { UPLOAD, withHttp3Server } from "./_http3_server.ts";
import { benchmarkPackages, peerPath, runWell, succeeds } from "./_peer.ts";

/** One that has the package, if there is any. */
const PYTHON = ["python3", `${benchmarkPackages()}/venv/bin/python`]
  .find((program) => succeeds(program, "-c", "import aioquic"));

withUnstableNet(import.meta.url, () => {
  netTest("aioquic gets and sends all that it asks for", async () => {
    await withHttp3Server(async ({ port, certificate }) => {
      const args = [peerPath("aioquic_http3.py"), String(port), certificate];
      assertEquals(JSON.parse(await runWell(PYTHON!, args)), {
        hellos: 50,
        version: "3",
        query: "a=b",
        upload: String(UPLOAD),
        large: LARGE,
        trailers: [["x-sum", "1"]],
        cut: "an error",
        after: "Hello",
        waited: 20,
      });
    });
  }, {
    permissions: ["run", "read", "write", "env"],
    lacks: PYTHON === undefined
      ? "no Python has aioquic (pip install aioquic)"
      : undefined,
  });
});
