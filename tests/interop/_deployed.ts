// What `deploy/` holds, started here: the command as the systemd unit and the
// Dockerfile start it, behind nginx and haproxy with the configurations that
// are shipped. Only ports, paths and what a user without rights cannot have are
// replaced; a replacement fails if there is nothing to replace.

import {
  createCertificate,
  type TestCertificate,
} from "../e2e/_certificates.ts";
import { Command, folder } from "../cli/_command.ts";
import { freePort } from "../_ports.ts";
import { endProgram, lacksProgram, startProgram } from "./_program.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url);
const COMMAND = "jsr:@x/asgi/cli";
/** The user "nobody", for proxies that a root would start. */
const UNPRIVILEGED = 65_534;

/** A file that is shipped. */
export function shipped(name: string): string {
  return Deno.readTextFileSync(new URL(name, DEPLOY));
}

/** A piece of the guide: the only match of a pattern. */
export function shown(pattern: RegExp): string {
  const page = new URL("../docs/deployment.md", DEPLOY);
  const [piece] = pattern.exec(Deno.readTextFileSync(page)) ?? [];
  if (piece === undefined) throw new Error(`The guide shows no ${pattern}`);
  return piece;
}

/** Replaces texts that must be there. */
export function replaced(
  text: string,
  replacements: readonly (readonly [string, string])[],
): string {
  return replacements.reduce((text, [from, to]) => {
    if (text.includes(from)) return text.replaceAll(from, to);
    throw new Error(`Cannot replace "${from}": it is not in\n${text}`);
  }, text);
}

/** Why a program cannot be tested with; `undefined` if it can. */
export function lacks(program: string): string | undefined {
  if (Deno.build.os !== "linux") return "the guide is for Linux";
  return lacksProgram(program);
}

/** A folder with an application, `main.ts`, which others may enter. */
export async function site(
  app: string,
): Promise<{ path: string } & AsyncDisposable> {
  const site = await folder({ "main.ts": app });
  await Deno.chmod(site.path, 0o755);
  return site;
}

/** The path of the unix socket of an instance of the unit. */
export function socketOf(site: string, instance: number): string {
  return `${site}/run/${instance}/http.sock`;
}

/** Starts an instance as the systemd unit does. */
export async function startUnit(
  site: string,
  instance: number,
): Promise<Command> {
  const unit = shipped("app@.service");
  const [, line] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit)!;
  const [, umask] = /^UMask=([0-7]+)$/m.exec(unit)!;
  const run = `${site}/run/${instance}`;
  await Deno.mkdir(run, { recursive: true });
  await Deno.chmod(run, 0o750);
  const words = replaced(line.replaceAll("\\\n", " "), [
    ["/srv/app", site],
    ["/run/app/%i", run],
  ]).split(/\s+/);
  return await ready(withUmask(umask, () => startWords(words, site)));
}

/** Starts the command of the Dockerfile, at other ports. */
export function startContainer(
  site: string,
  port: number,
  metricsPort: number = freePort(),
): Promise<Command> {
  const [, list] = /^CMD (\[[^\]]*\])$/m.exec(shipped("Dockerfile"))!;
  const words = replaced(list.replaceAll("\\\n", " "), [
    ["0.0.0.0", "127.0.0.1"],
    ["8000", String(port)],
    ["9090", String(metricsPort)],
    ["/app", site],
  ]);
  return ready(startWords(JSON.parse(words), site));
}

function startWords(words: readonly string[], cwd: string): Command {
  const at = words.indexOf(COMMAND);
  const permissions = words.slice(words.indexOf("run") + 1, at);
  return new Command(words.slice(at + 1), { cwd, permissions });
}

/** A process inherits the umask; here, nothing happens under it but `start`. */
function withUmask(umask: string, start: () => Command): Command {
  const before = Deno.umask(Number.parseInt(umask, 8));
  try {
    return start();
  } finally {
    Deno.umask(before);
  }
}

async function ready(command: Command): Promise<Command> {
  try {
    await command.printed(/serves main\.ts/);
    return command;
  } catch (error) {
    await command[Symbol.asyncDispose]();
    throw error;
  }
}

/** Stops a server by SIGTERM, as systemd and Docker do. */
export async function stop(command: Command): Promise<void> {
  command.kill("SIGTERM");
  const code = await command.exitCode();
  if (code !== 0) throw new Error(`The server ended with the code ${code}`);
}

/** A proxy that runs. */
export class Proxy implements AsyncDisposable {
  /** Its port without TLS. */
  readonly port: number = freePort();
  /** Its port with TLS. */
  readonly tlsPort: number = freePort();
  /** The certificate that it has. */
  readonly certificate: TestCertificate;
  #process: Deno.ChildProcess | undefined;

  private constructor(certificate: TestCertificate) {
    this.certificate = certificate;
  }

  /** Starts nginx in front of unix sockets, with HTTP/2 on both sides or on none. */
  static async nginx(site: string, http2 = false): Promise<Proxy> {
    const proxy = new Proxy(await createCertificate());
    const { port, tlsPort, certificate: { cert, key } } = proxy;
    const folder = await ownFolder(`${site}/nginx`);
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    const shippedApp = shipped("nginx.conf");
    const app = replaced(http2 ? withGrpc(shippedApp) : shippedApp, [
      ["/run/app/1/http.sock", socketOf(site, 1)],
      ["/run/app/2/http.sock", socketOf(site, 2)],
      ["listen 80;", `listen 127.0.0.1:${port};`],
      ["listen 443 ssl", `listen 127.0.0.1:${tlsPort} ssl`],
      ["/etc/ssl/app/fullchain.pem", `${folder}/cert.pem`],
      ["/etc/ssl/app/privkey.pem", `${folder}/key.pem`],
    ]);
    await Deno.writeTextFile(`${folder}/nginx.conf`, nginxMain(folder, app));
    const log = `${folder}/error.log`;
    const args = ["-e", log, "-p", folder, "-c", `${folder}/nginx.conf`];
    return await proxy.#start("nginx", args);
  }

  /** Starts haproxy in front of a port, to which it speaks HTTP/2 or not. */
  static async haproxy(
    site: string,
    appPort: number,
    http2 = false,
  ): Promise<Proxy> {
    const proxy = new Proxy(await createCertificate());
    const { port, tlsPort, certificate: { cert, key } } = proxy;
    const folder = await ownFolder(`${site}/haproxy`);
    await Deno.writeTextFile(`${folder}/cert.pem`, cert + key);
    const server = "server app 127.0.0.1:8000";
    const config = replaced(shipped("haproxy.cfg"), [
      [server, http2 ? shown(/^server app .* proto h2$/m) : server],
      ["    user haproxy\n    group haproxy\n", ""],
      // There may be fewer files to open here.
      ["maxconn 4000", "maxconn 100"],
      ["bind :80\n", `bind 127.0.0.1:${port}\n`],
      ["bind :443 ", `bind 127.0.0.1:${tlsPort} `],
      ["/etc/ssl/app/haproxy.pem", `${folder}/cert.pem`],
      ["127.0.0.1:8000", `127.0.0.1:${appPort}`],
    ]);
    await Deno.writeTextFile(`${folder}/haproxy.cfg`, config);
    return await proxy.#start("haproxy", [
      ...["-db", "-f", `${folder}/haproxy.cfg`],
    ]);
  }

  /** The URL of its root, without TLS. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await endProgram(this.#process!, "SIGTERM");
  }

  /** The group stays, so that the proxy is in the group of the server. */
  async #start(program: string, args: string[]): Promise<Proxy> {
    const isRoot = Deno.uid() === 0;
    this.#process = await startProgram(program, args, {
      port: this.port,
      ...isRoot ? { uid: UNPRIVILEGED, gid: Deno.gid()! } : {},
    });
    return this;
  }
}

/** The guide's location for gRPC in place of the one for all. */
function withGrpc(config: string): string {
  const [location] = /^ {4}location \/ \{[^]*?^ {4}\}$/m.exec(config)!;
  const grpc = shown(/^location \/package\.Service\/ \{[^]*?^\}$/m);
  return replaced(config, [
    [location, grpc],
    ["listen 443 ssl;", shown(/(?<=`)listen 443 ssl http2;(?=`)/)],
  ]);
}

/** What the package's own `nginx.conf` does, for one who is not root. */
function nginxMain(folder: string, app: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`);
  return `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
    worker_processes 1;
    events {}
    http { access_log off; ${temporary.join(" ")}
    ${app} }`;
}

/** A folder that the proxy may write to, as any user. */
async function ownFolder(path: string): Promise<string> {
  await Deno.mkdir(path);
  if (Deno.uid() === 0) await Deno.chown(path, UNPRIVILEGED, null);
  return path;
}
