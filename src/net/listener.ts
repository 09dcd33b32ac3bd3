/**
 * An address that is listened on. It is bound at once; accepting comes later.
 *
 * Deno cannot change the certificate of a listener, so that a reload binds
 * anew. With `reusePort` the new socket listens beside the old one, which is
 * drained and closed. Without it, the address must be free before it can be
 * bound again: a connection is made to it, and when that one comes out of the
 * queue, so have all before it; the old socket is closed and the new one bound
 * with nothing in between. A client whose connection the system completes in
 * that instant is refused or reset.
 *
 * @module
 */

import type { AddressSet } from "../addresses.ts";
import { handled } from "../streams/handled.ts";
import { type AcceptEvents, AcceptLoop, delay } from "./accept_loop.ts";
import {
  type CertifiedKey,
  type KeySource,
  readCertifiedKey,
  restate,
} from "./certified_key.ts";
import { listenTls, type TcpSocketOptions } from "./tls.ts";
import { listenUnix, type UnixSocketOptions } from "./unix_socket.ts";

/** A certificate, and what is offered with it. */
export interface TlsSettings extends KeySource {
  /** The protocols to offer. */
  readonly alpn: readonly string[];
}

/** What to listen on. */
export type ListenerTarget =
  & (
    | ({ readonly transport: "unix" } & UnixSocketOptions)
    | {
      readonly transport: "tcp";
      readonly hostname: string;
      readonly port: number;
      readonly tls?: TlsSettings;
    }
  )
  & {
    /** Peers whose connections begin with a PROXY protocol header. */
    readonly proxies?: AddressSet;
  };

/** How to listen on it. */
export interface ListenerOptions {
  /** How many connections may wait to be accepted. */
  readonly backlog: number;
  /** Whether other sockets may listen on the same port. */
  readonly reusePort: boolean;
}

/** What is listened on. */
export type ListenerAddress =
  | {
    readonly transport: "tcp";
    readonly hostname: string;
    readonly port: number;
    readonly secure: boolean;
  }
  | { readonly transport: "unix"; readonly path: string };

const NEVER = new AbortController().signal;

/**
 * Binds all of `targets`, or none.
 *
 * @throws {Deno.errors.AddrInUse} If one is taken; the message says which.
 * @throws {TypeError} If a certificate or its key is of no use.
 * @throws {Deno.errors.NotSupported} If `reusePort` is asked for without Deno's
 * flag `--unstable-net`.
 */
export function listenAll(
  targets: readonly ListenerTarget[],
  options: ListenerOptions,
): Listener[] {
  const listeners: Listener[] = [];
  try {
    for (const target of targets) listeners.push(new Listener(target, options));
    return listeners;
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
}

/** A bound address, whose connections are accepted when it runs. */
export class Listener {
  /** What is bound. */
  readonly address: ListenerAddress;

  readonly #target: ListenerTarget;
  readonly #options: ListenerOptions;
  #socket: Deno.Listener;
  #certifiedKey: CertifiedKey | undefined;
  #loop: AcceptLoop | undefined;
  #rebinding: Rebinding | undefined;
  #closed = false;
  #referenced = true;

  /** Binds the address. */
  constructor(target: ListenerTarget, options: ListenerOptions) {
    if (options.reusePort) checkReusePort();
    this.#options = options;
    if (target.transport === "unix") {
      this.#target = target;
      this.#socket = naming(target, () => listenUnix(target));
      this.address = { transport: "unix", path: target.path };
      return;
    }
    if (target.tls !== undefined) {
      this.#certifiedKey = readCertifiedKey(target.tls);
    }
    this.#target = target;
    this.#socket = this.#bind();
    const { hostname, port } = this.#socket.addr as Deno.NetAddr;
    const secure = target.tls !== undefined;
    this.#target = { ...target, hostname, port };
    this.address = { transport: "tcp", hostname, port, secure };
  }

  /** Whether it speaks TLS. */
  get secure(): boolean {
    return this.#certifiedKey !== undefined;
  }

  /** Peers whose connections begin with a PROXY protocol header. */
  get proxies(): AddressSet | undefined {
    return this.#target.proxies;
  }

  /**
   * Accepts connections until it is closed.
   *
   * @throws If the address is lost.
   */
  async run({ onConnection, onFailure }: AcceptEvents): Promise<void> {
    while (!this.#closed) {
      this.#loop = new AcceptLoop(this.#socket, {
        onConnection: async (conn) => {
          if (!await this.#reachesRebinding(conn)) await onConnection(conn);
        },
        onFailure,
      });
      await this.#loop.over;
      if (!this.#closed) this.#finishRebinding();
    }
  }

  /** Accepts what waits already, then closes. */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#loop?.drain(signal);
    this.close();
  }

  /** Closes at once; idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#loop === undefined) this.#socket.close();
    else this.#loop.close();
    this.#rebinding?.done.reject(new Error("The listener was closed"));
  }

  /** Keeps the process alive, or does not. */
  keepAlive(referenced: boolean): void {
    this.#referenced = referenced;
    this.#refer();
  }

  /**
   * Reads the certificate and its key again, and binds anew if they changed.
   * It must run already.
   *
   * @throws {TypeError} If they are of no use; the old ones stay.
   */
  async reload(): Promise<void> {
    const target = this.#target;
    if (target.transport === "unix" || target.tls === undefined) return;
    const { cert, key } = readCertifiedKey(target.tls);
    const old = this.#certifiedKey!;
    if (cert === old.cert && key === old.key) return;
    if (this.#options.reusePort) await this.#bindBeside({ cert, key });
    else await this.#bindAnew({ cert, key });
  }

  /** The new socket listens before the old one closes. */
  async #bindBeside(certifiedKey: CertifiedKey): Promise<void> {
    const loop = this.#loop;
    this.#socket = this.#bind(certifiedKey);
    this.#certifiedKey = certifiedKey;
    const { done } = this.#rebinding = rebindingTo(certifiedKey);
    await loop?.drain(NEVER);
    loop?.close();
    await done.promise;
  }

  /** Lets a connection of its own tell when the queue is empty. */
  async #bindAnew(certifiedKey: CertifiedKey): Promise<void> {
    const rebinding = this.#rebinding = rebindingTo(certifiedKey);
    const marker = await this.#connect();
    try {
      rebinding.marker = marker?.localAddr as Deno.NetAddr | undefined;
      if (marker === undefined || rebinding.passed) this.#loop?.close();
      await rebinding.done.promise;
    } finally {
      marker?.close();
    }
  }

  async #connect(): Promise<Deno.Conn | undefined> {
    const { hostname, port } = this.#socketOptions();
    try {
      return await Deno.connect({ hostname: reachable(hostname), port });
    } catch {
      return undefined; // It may not be permitted.
    }
  }

  /** Whether a connection is the one that a rebinding waits for. */
  async #reachesRebinding(conn: Deno.Conn): Promise<boolean> {
    const rebinding = this.#rebinding;
    if (rebinding === undefined || this.#options.reusePort) return false;
    for (let turn = 0; turn < 2 && rebinding.marker === undefined; turn++) {
      await delay(0, NEVER); // Its other end may not know yet.
    }
    if (rebinding.marker === undefined) {
      rebinding.passed = true;
      return false;
    }
    if (!isPeer(conn.remoteAddr as Deno.NetAddr, rebinding.marker)) {
      return false;
    }
    conn.close();
    this.#loop?.close();
    return true;
  }

  /** Binds what the closed loop has made room for. */
  #finishRebinding(): void {
    const rebinding = this.#rebinding;
    if (rebinding === undefined) throw new Error("The listener was lost");
    this.#rebinding = undefined;
    if (!this.#options.reusePort) {
      try {
        this.#socket = this.#bind(rebinding.certifiedKey);
        this.#certifiedKey = rebinding.certifiedKey;
      } catch (error) {
        rebinding.done.reject(error);
        this.#socket = this.#bind();
      }
    }
    this.#refer();
    rebinding.done.resolve();
  }

  #bind(certifiedKey = this.#certifiedKey): Deno.Listener {
    const target = this.#target;
    const socket = this.#socketOptions();
    return naming(
      target,
      () =>
        target.transport === "tcp" && target.tls !== undefined
          ? listenTls(socket, certifiedKey!, target.tls.alpn)
          : Deno.listen({ ...socket, transport: "tcp" }),
    );
  }

  #socketOptions(): TcpSocketOptions {
    const { hostname, port } = this.#target as Deno.NetAddr;
    const { backlog, reusePort } = this.#options;
    return { hostname, port, tcpBacklog: backlog, reusePort };
  }

  #refer(): void {
    if (this.#referenced) this.#socket.ref();
    else this.#socket.unref();
  }
}

/** A change of the certificate that is under way. */
interface Rebinding {
  readonly certifiedKey: CertifiedKey;
  readonly done: PromiseWithResolvers<void>;
  /** The near end of the connection to wait for. */
  marker?: Deno.NetAddr;
  /** Whether that one may have been accepted unrecognised. */
  passed?: boolean;
}

function rebindingTo(certifiedKey: CertifiedKey): Rebinding {
  const done = Promise.withResolvers<void>();
  // The listener may be closed before anybody waits for it.
  handled(done.promise);
  return { certifiedKey, done };
}

/** Deno would end the process, and nothing could be done about it. */
function checkReusePort(): void {
  if ("listenDatagram" in Deno) return;
  throw new Deno.errors.NotSupported(
    'Cannot serve: option "reusePort" needs Deno\'s flag --unstable-net',
  );
}

/** Binds; an error says what could not be bound. */
function naming<T>(target: ListenerTarget, bind: () => T): T {
  try {
    return bind();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    const name = target.transport === "unix"
      ? target.path
      : formatAddress(target.hostname, target.port);
    throw restate(error, (reason) => {
      const known = error instanceof Deno.errors.AddrInUse &&
        target.transport === "tcp";
      return `Cannot listen on ${name}: ${
        known ? "the address is already in use" : reason
      }`;
    });
  }
}

/** Whether an address of an accepted connection is `address`. */
function isPeer(peer: Deno.NetAddr, address: Deno.NetAddr): boolean {
  return peer.port === address.port &&
    plainAddress(peer.hostname) === plainAddress(address.hostname);
}

/** IPv4 peers of a dual-stack listener get their IPv4 address back. */
export function plainAddress(hostname: string): string {
  return hostname.replace(/^::ffff:(?=[0-9.]+$)/, "");
}

/** An address under which a wildcard address can be reached. */
export function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}

/**
 * A URL under which it can be reached from this machine; that of a unix socket
 * is `unix:` and its path.
 */
export function urlOf(address: ListenerAddress): string {
  if (address.transport === "unix") return `unix:${address.path}`;
  return boundUrl({ ...address, hostname: reachable(address.hostname) });
}

/**
 * What is listened on, for people: its URL as it is bound. Where that is no
 * URL to open, one that is follows. `path` is put behind both.
 */
export function describeAddress(address: ListenerAddress, path = ""): string {
  const url = urlOf(address) + path;
  if (address.transport === "unix") return url;
  const bound = boundUrl(address) + path;
  return bound === url ? url : `${bound} (try ${url})`;
}

function boundUrl(
  { hostname, port, secure }: ListenerAddress & { transport: "tcp" },
): string {
  const scheme = secure ? "https" : "http";
  return `${scheme}://${formatAddress(hostname, port)}/`;
}

/** An address as it stands in a URL. */
export function formatAddress(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
