// The soak's server in one process, over TCP and over TLS. The certificate and
// its key are the arguments. It prints its ports; when its stdin ends, it shuts
// down, and then only a resource that was not closed could keep it alive.

import { serve } from "../../mod.ts";
import app from "./app.ts";

const [cert, key] = Deno.args;
const server = serve(app, {
  listen: [{ port: 0 }, { port: 0, tls: { cert, key } }],
  onListen: () => {},
});
const ports = server.addrs.map((address) => "port" in address && address.port);
console.log(JSON.stringify(ports));
await Deno.stdin.read(new Uint8Array(1));
await server.shutdown();
