// WebSocket clients that others wrote, each in a process of its own: that of
// Node, the npm package `ws`, and Python's `websockets`. All do the same, and
// print what they saw as one line of JSON. One that is not to be had here is
// not run, and the test says so.

import { assertEquals } from "@std/assert";
import type { AsgiApp, ReceiveEvent } from "../../mod.ts";
import { granted, netTest, start, type TestServer } from "./_testing.ts";

const PROCESS_TIMEOUT_MS = 25_000;
const PROBE_TIMEOUT_MS = 20_000;

/** A client, as a command to which a script is given on stdin. */
interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  /** Exits with 0 where the client is to be had. */
  readonly probe: string;
  /** Reads the server's URL from `URL`. */
  readonly script: string;
}

/** What a client saw. */
interface Report {
  /** The subprotocol that was agreed on. */
  readonly protocol: string;
  /** Whether compression was agreed on. */
  readonly compressed: boolean;
  readonly text: string;
  readonly bytes: number[];
  /** The length of the large message, and whether it came back unchanged. */
  readonly large: number;
  readonly same: boolean;
  /** After the client's own close. */
  readonly ownClose: number;
  /** The application's close, on another WebSocket. */
  readonly close: [code: number, reason: string];
  /** Whether a WebSocket that the application refuses failed. */
  readonly refused: boolean;
}

/** What the clients in JavaScript do; `connect(path)` is the peer's own. */
const JAVASCRIPT = `
function opened(path) {
  const socket = connect(path);
  socket.binaryType = "arraybuffer";
  const messages = [];
  let wake = () => {};
  socket.onmessage = ({ data }) => { messages.push(data); wake(); };
  socket.closed = new Promise((resolve) => { socket.onclose = resolve; });
  socket.onerror = () => {};
  socket.next = async () => {
    while (messages.length === 0) await new Promise((done) => { wake = done; });
    return messages.shift();
  };
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.closed.then(reject);
  });
}
const socket = await opened("echo");
socket.send("h\\u00e9llo");
const text = await socket.next();
socket.send(new Uint8Array([0, 255]));
const bytes = [...new Uint8Array(await socket.next())];
const message = "\\u00e9 large one, ".repeat(50000);
socket.send(message);
const large = await socket.next();
socket.close(3001, "bye");
const ownClose = (await socket.closed).code;
const { code, reason } = await (await opened("close")).closed;
const refused = await opened("refuse").then(() => false, () => true);
console.log(JSON.stringify({
  protocol: socket.protocol,
  compressed: socket.extensions.includes("permessage-deflate"),
  text, bytes, large: large.length, same: large === message,
  ownClose, close: [code, reason], refused,
}));
process.exit(0);
`;

const NODE: Peer = {
  name: "Node's WebSocket",
  command: ["node", "--input-type=module"],
  probe: `process.exit(typeof WebSocket === "function" ? 0 : 1);`,
  script: `
    const connect = (path) =>
      new WebSocket(process.env.URL + path, ["other", "echo"]);
    ${JAVASCRIPT}`,
};

function npmWs(compression: boolean): Peer {
  const imports = `
    import process from "node:process";
    import WebSocket from "npm:ws@8";
  `;
  return {
    name: `npm's ws with${compression ? "" : "out"} compression`,
    command: [
      Deno.execPath(),
      ...["run", "-A", "--no-config", "--no-lock", "--no-check", "--quiet"],
      ...["--ext=js", "-"],
    ],
    probe: `${imports} process.exit(typeof WebSocket === "function" ? 0 : 1);`,
    script: `
      ${imports}
      const connect = (path) =>
        new WebSocket(process.env.URL + path, ["other", "echo"], {
          perMessageDeflate: ${compression},
        });
      ${JAVASCRIPT}`,
  };
}

function pythonWebsockets(compression: boolean): Peer {
  return {
    name: `Python's websockets with${compression ? "" : "out"} compression`,
    command: ["python3", "-"],
    probe: `
from websockets.asyncio.client import connect
`,
    script: `
import asyncio, json, os
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

def opened(path):
    return connect(
        os.environ["URL"] + path,
        subprotocols=["other", "echo"],
        compression=${compression ? '"deflate"' : "None"},
        proxy=None,
    )

async def is_refused():
    try:
        async with opened("refuse"):
            return False
    except InvalidStatus as error:
        return error.response.status_code == 403

async def main():
    message = "\\u00e9 large one, " * 50000
    async with opened("echo") as socket:
        await socket.send("h\\u00e9llo")
        text = await socket.recv()
        await socket.send(bytes([0, 255]))
        data = await socket.recv()
        await socket.send(message)
        large = await socket.recv()
        await socket.close(3001, "bye")
    async with opened("close") as other:
        try:
            await other.recv()
        except ConnectionClosed as closed:
            close = [closed.rcvd.code, closed.rcvd.reason]
    print(json.dumps({
        "protocol": socket.subprotocol,
        "compressed": any(
            extension.name == "permessage-deflate"
            for extension in socket.protocol.extensions
        ),
        "text": text,
        "bytes": list(data),
        "large": len(large),
        "same": large == message,
        "ownClose": socket.close_code,
        "close": close,
        "refused": await is_refused(),
    }))

asyncio.run(main())
`,
  };
}

/** Does what the path says. */
function pathApp(ends: ReceiveEvent[]): AsgiApp {
  return async (scope, receive, send) => {
    if (scope.type !== "websocket") throw new TypeError("No WebSocket");
    await receive();
    if (scope.path === "/refuse") {
      return await send({ type: "websocket.close" });
    }
    await send({ type: "websocket.accept", subprotocol: "echo" });
    if (scope.path === "/close") {
      const [code, reason] = [4001, "enough"];
      return await send({ type: "websocket.close", code, reason });
    }
    for (;;) {
      const event = await receive();
      if (event.type !== "websocket.receive") return void ends.push(event);
      const { text, bytes } = event;
      await send({ type: "websocket.send", text, bytes });
    }
  };
}

const EXPECTED: Omit<Report, "compressed"> = {
  protocol: "echo",
  text: "héllo",
  bytes: [0, 255],
  large: 650_000,
  same: true,
  ownClose: 3001,
  close: [4001, "enough"],
  refused: true,
};

/** Declares the tests of a client, by a server that compresses, or does not. */
function declarePeer(
  peer: Peer,
  offers: boolean,
  lacks: string | undefined,
): void {
  for (const compression of offers ? [true, false] : [true]) {
    const name = compression ? peer.name : `${peer.name}, which is declined,`;
    netTest(`${name} is echoed, closed and refused`, async () => {
      const ends: ReceiveEvent[] = [];
      await using server = start(pathApp(ends), { compression });
      const report = await runPeer(peer, server);
      const compressed = offers && compression;
      assertEquals(report, { ...EXPECTED, compressed });
      assertEquals(ends, [
        { type: "websocket.disconnect", code: 3001, reason: "bye" },
      ]);
      assertEquals(server.errors, []);
    }, { permissions: ["run"], lacks });
  }
}

/** Why a client is not to be had here; `undefined` where it is. */
async function lacksPeer(
  { name, probe, command }: Peer,
): Promise<string | undefined> {
  if (!granted("run")) return undefined; // Ignored for that.
  const { code } = await runScript(command, probe, {}, PROBE_TIMEOUT_MS)
    .catch(() => ({ code: -1 }));
  return code === 0 ? undefined : `${name} is not to be had here`;
}

async function runPeer(
  { command, script }: Peer,
  server: TestServer,
): Promise<Report> {
  const env = { URL: server.url.replace("http:", "ws:") };
  const { code, stdout, stderr } = await runScript(
    command,
    script,
    env,
    PROCESS_TIMEOUT_MS,
  );
  if (code !== 0) throw new Error(`The client exited with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Runs a script to its end; it is killed when its time is over. */
async function runScript(
  [program, ...args]: readonly string[],
  script: string,
  env: Record<string, string>,
  timeoutMs: number,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const process = new Deno.Command(program, {
    args,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => process.kill("SIGKILL"), timeoutMs);
  try {
    const output = process.output();
    await writeAll(process.stdin, script).catch(() => {}); // It has ended.
    const { code, stdout, stderr } = await output;
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } finally {
    clearTimeout(timer);
  }
}

async function writeAll(
  stdin: WritableStream<Uint8Array>,
  text: string,
): Promise<void> {
  await new Blob([text]).stream().pipeTo(stdin);
}

/** The clients, and whether each offers compression. */
const PEERS: [peer: Peer, offers: boolean][] = [
  [NODE, false],
  [npmWs(true), true],
  [npmWs(false), false],
  [pythonWebsockets(true), true],
  [pythonWebsockets(false), false],
];

const lacks = await Promise.all(PEERS.map(([peer]) => lacksPeer(peer)));
PEERS.forEach(([peer, offers], at) => declarePeer(peer, offers, lacks[at]));
