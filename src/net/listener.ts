/**
 * An address that is listened on. It is bound at once; accepting comes later.
 *
 * Where TLS runs on the connections of a plain listener (`noDelay`), a reload
 * changes the certificate of later handshakes. A listener for TLS cannot change
 * its certificate, so a reload binds anew. With `reusePort` the new socket
 * listens beside the old one, which is drained and closed. Without it, the
 * address must be free before it can be bound again: the listener
 * connects to itself; when that connection is accepted, so are all before it, and
 * the old socket is closed and the new one bound in the same turn. A client whose
 * connection the system completes in that instant is refused or reset.
 *
 * Where QUIC is served too, its UDP port is bound with that of TCP, and has the
 * same certificate.
 *
 * @module
 */

import type { AddressSet } from "./addresses.ts";
import { handled } from "../streams/handled.ts";
import { type AcceptEvents, AcceptLoop, delay } from "./accept_loop.ts";
import {
  bind,
  bindQuic,
  type ListenerOptions,
  type ListenerTarget,
} from "./binding.ts";
import { type CertifiedKey, readCertifiedKey } from "./certified_key.ts";
import type { SocketConn } from "./connection.ts";
import {
  plainAddress,
  reachable,
  type ServerAddress,
} from "./listener_address.ts";
import type { QuicListener, QuicListenerOptions } from "./quic.ts";
import type { QuicSettings } from "./quic_settings.ts";
import { handshakeTls, loadTerminator } from "./tls.ts";
import type { TlsTerminator } from "./tls_socket.ts";

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
  readonly address: ServerAddress;

  readonly #target: ListenerTarget;
  readonly #options: ListenerOptions;
  #socket: Deno.Listener;
  /** Of what is served by QUIC: its port, and what accepts there once it is open. */
  readonly #endpoint: Deno.QuicEndpoint | undefined;
  #quic: QuicListener | undefined;
  #certifiedKey: CertifiedKey | undefined;
  /** Performs the handshakes, unless a listener for TLS does. */
  #terminator: Promise<TlsTerminator> | undefined;
  #loop: AcceptLoop | undefined;
  #rebinding: Rebinding | undefined;
  #closed = false;
  #referenced = true;

  /** Binds the address. */
  constructor(target: ListenerTarget, options: ListenerOptions) {
    this.#options = options;
    this.#target = target;
    if (target.transport === "unix") {
      this.#socket = this.#bind();
      this.address = { transport: "unix", path: target.path };
      return;
    }
    if (target.tls !== undefined) {
      this.#certifiedKey = readCertifiedKey(target.tls);
    }
    if (target.http3 === undefined) this.#socket = this.#bind();
    else {
      const both = bindQuic(target, () => this.#bind());
      this.#socket = both.socket;
      this.#endpoint = both.endpoint;
    }
    const { hostname, port } = this.#socket.addr as Deno.NetAddr;
    const secure = target.tls !== undefined;
    this.#target = { ...target, hostname, port };
    this.address = { transport: "tcp", hostname, port, secure };
  }

  /** Whether it speaks TLS. */
  get secure(): boolean {
    return this.#certifiedKey !== undefined;
  }

  /** How QUIC is served, if it is. */
  get http3(): QuicSettings | undefined {
    return this.#target.transport === "tcp" ? this.#target.http3 : undefined;
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
    this.#loadTerminator();
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

  /**
   * Lets clients connect by QUIC, if that is served. What it needs is loaded now,
   * so that nobody else has to wait for it.
   */
  async openQuic(
    options: Omit<QuicListenerOptions, keyof QuicSettings>,
  ): Promise<QuicListener | undefined> {
    if (this.#endpoint === undefined || this.#closed) return undefined;
    const { QuicListener } = await import("./quic.ts");
    if (this.#closed) return undefined;
    const all = { ...options, ...this.http3! };
    return this.#quic = new QuicListener(
      this.#endpoint,
      this.#certifiedKey!,
      all,
    );
  }

  /** Performs the TLS handshake of a connection that was accepted here. */
  async handshake(conn: SocketConn): Promise<SocketConn> {
    if (this.#terminator === undefined) return await handshakeTls(conn);
    return await (await this.#terminator).handshake(conn);
  }

  /** Accepts what waits already, then closes. */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#loop?.drain(signal);
    this.close();
  }

  /** Closes at once; idempotent. What was opened for QUIC goes on. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#quic === undefined) this.#endpoint?.close();
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
   * Reads the certificate and its key again, and uses them if they changed. It
   * must run already.
   *
   * @throws {TypeError} If they are of no use; the old ones stay.
   */
  async reload(): Promise<void> {
    const target = this.#target;
    if (target.transport === "unix" || target.tls === undefined) return;
    const certifiedKey = readCertifiedKey(target.tls);
    const { cert, key } = this.#certifiedKey!;
    if (certifiedKey.cert === cert && certifiedKey.key === key) return;
    if (target.tls.noDelay) {
      this.#certifiedKey = certifiedKey;
      this.#loadTerminator();
    } else if (this.#options.reusePort) {
      await this.#bindBeside(certifiedKey);
    } else {
      await this.#bindAnew(certifiedKey);
    }
    this.#quic?.reload(certifiedKey);
  }

  /** Later handshakes wait for it. */
  #loadTerminator(): void {
    const target = this.#target;
    if (target.transport === "unix" || !target.tls?.noDelay) return;
    this.#terminator = handled(loadTerminator(this.#certifiedKey!, target.tls));
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

  /** Connects to itself: when that connection is accepted, the queue is empty. */
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
    const { hostname, port } = this.#target as Deno.NetAddr;
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

  /** Binds the address that the closed loop has released. */
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
    return bind(this.#target, this.#options, certifiedKey);
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
  /** The local address of the connection to wait for. */
  marker?: Deno.NetAddr;
  /** Whether that one may have been accepted unrecognised. */
  passed?: boolean;
}

function rebindingTo(certifiedKey: CertifiedKey): Rebinding {
  const done = Promise.withResolvers<void>();
  // The listener may be closed before anything awaits it.
  handled(done.promise);
  return { certifiedKey, done };
}

/** Whether an address of an accepted connection is `address`. */
function isPeer(peer: Deno.NetAddr, address: Deno.NetAddr): boolean {
  return peer.port === address.port &&
    plainAddress(peer.hostname) === plainAddress(address.hostname);
}
