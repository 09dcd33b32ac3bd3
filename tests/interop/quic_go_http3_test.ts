// quic-go over HTTP/3. Its module is taken from Go's cache, never fetched:
//
//     go mod download github.com/quic-go/quic-go@v0.65.0

import { assertEquals } from "@std/assert";
import { TestFolder } from "../e2e/_other_clients.ts";
import { netTest } from "../e2e/_testing.ts";
import { withUnstableNet } from "../_unstable_net.ts";
import { LARGE } from "./_http2_server.ts";
import { UPLOAD, withHttp3Server } from "./_http3_server.ts";
import { peerPath, runWell, succeeds } from "./_peer.ts";

const MODULE = "github.com/quic-go/quic-go";
const VERSION = "v0.65.0";
/** The first build makes all packages. */
const BUILD_TIMEOUT_MS = 120_000;
/** Only what is there already is used. */
const OFFLINE = { GOPROXY: "off", GOFLAGS: "-mod=mod", GONOSUMDB: "*" };

const LACKS = hasQuicGo() ? undefined : `there is no Go, or no ${MODULE}`;

withUnstableNet(import.meta.url, () => {
  netTest("quic-go gets and sends all that it asks for", async () => {
    using folder = new TestFolder();
    const client = await build(folder);
    await withHttp3Server(async ({ port, certificate }) => {
      const output = await runWell(client, [String(port), certificate]);
      assertEquals(JSON.parse(output), {
        hellos: 50,
        version: "3",
        query: "a=b",
        upload: String(UPLOAD),
        refused: "Refused",
        large: LARGE,
        trailers: { "X-Sum": ["1"] },
        cut: "an error",
        after: "Hello",
        waited: 20,
      });
    });
  }, {
    permissions: ["run", "read", "write"],
    lacks: LACKS,
    timeoutMs: BUILD_TIMEOUT_MS,
  });
}, LACKS);

/** Builds the client; its path. */
async function build(folder: TestFolder): Promise<string> {
  folder.file(
    "go.mod",
    `module client\n\ngo 1.25\n\nrequire ${MODULE} ${VERSION}\n`,
  );
  const source = await Deno.readTextFile(peerPath("quic_go_http3.go"));
  folder.file("main.go", source);
  const client = `${folder.path}/client`;
  await runWell("go", ["build", "-C", folder.path, "-o", client, "."], {
    env: OFFLINE,
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  return client;
}

function hasQuicGo(): boolean {
  return succeeds("env", ...[
    ...Object.entries(OFFLINE).map(([name, value]) => `${name}=${value}`),
    ...["go", "mod", "download", `${MODULE}@${VERSION}`],
  ]);
}
