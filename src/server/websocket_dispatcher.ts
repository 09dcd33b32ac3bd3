/**
 * From a WebSocket's handshake to the application: checks it, holds the limit on
 * how many there are, and follows each to its end, after that of its HTTP connection.
 *
 * It is loaded when the first request asks for another protocol: what WebSocket
 * needs is a third of this package, and a server that starts need not wait for
 * it.
 *
 * @module
 */

import type { AppCalls } from "../asgi/app_calls.ts";
import { type ConnectionInfo, webSocketScope } from "../asgi/http_scope.ts";
import type { Ending } from "../asgi/shutdown_notice.ts";
import type { AsgiApp, WebSocketScope } from "../asgi/types.ts";
import { WebSocketCycle } from "../asgi/websocket_cycle.ts";
import { handled } from "../streams/handled.ts";
import type { Exchange } from "../http/exchange.ts";
import type { AccessRecord } from "../logs/records.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { ResolvedOptions } from "./options.ts";
import { BufferBudget } from "../websocket/buffer_budget.ts";
import { checkHandshake, type Handshake } from "../websocket/handshake.ts";
import { DEFAULT_WEBSOCKET_OPTIONS } from "../websocket/options.ts";
import {
  type UpgradedWebSocket,
  type UpgradeOptions,
  UpgradingWebSocket,
} from "./websocket_upgrade.ts";

/** What the dispatcher of WebSockets needs, and reports. */
export interface WebSocketDispatcherHost {
  /** Called for each WebSocket. */
  readonly app: AsgiApp;
  /** The limits. */
  readonly options: ResolvedOptions;
  /** Makes the context of the application's calls. */
  createCalls(onAppReturned: () => void): AppCalls;
  /** Counts WebSockets and their messages, if anybody wants to know. */
  readonly metrics: Metrics | undefined;
  /** Adds to a scope what no wire knows. */
  complete(scope: WebSocketScope, cycle: Ending): void;
  /** Called whenever a WebSocket is over. */
  onChange(): void;
}

/** How a WebSocket came to its end, or a handshake was refused. */
export type Outcome = Pick<AccessRecord, "status" | "bytesSent" | "aborted">;

/** Called at the end of one WebSocket. */
type EndWatcher = (outcome: Outcome) => void;

/** Calls the application for the WebSockets of all connections of a server. */
export class WebSocketDispatcher {
  readonly #host: WebSocketDispatcherHost;
  readonly #calls: AppCalls;
  readonly #upgradeOptions: UpgradeOptions;
  /** WebSockets and what carries them, once they are open. */
  readonly #cycles = new Map<WebSocketCycle, UpgradedWebSocket | undefined>();
  /** Calls of the application that have not returned. */
  #running = 0;
  #open = 0;
  #stopping = false;

  /** Starts with none. */
  constructor(host: WebSocketDispatcherHost) {
    this.#host = host;
    this.#upgradeOptions = upgradeOptions(host);
    this.#calls = host.createCalls(() => this.#running--);
  }

  /** Calls of the application that have not returned. */
  get running(): number {
    return this.#running;
  }

  /** WebSockets that go on without their HTTP connection. */
  get open(): number {
    return this.#open;
  }

  /** Closes all WebSockets, and those that come later. */
  shutdown(): void {
    this.#stopping = true;
    for (const cycle of this.#cycles.keys()) cycle.shutdown();
  }

  /** Cuts open WebSockets. */
  abort(): void {
    for (const socket of this.#cycles.values()) socket?.abort();
  }

  /**
   * Deals with a request that asks for another protocol; `onEnd` is called when
   * the WebSocket is over, or was refused.
   *
   * @returns When the request was answered: with an open WebSocket, or without
   * one. `undefined` if it asks for no WebSocket.
   */
  dispatch(
    exchange: Exchange,
    info: ConnectionInfo,
    onEnd: EndWatcher,
  ): Promise<void> | undefined {
    const handshake = checkHandshake(exchange.request);
    if (handshake === undefined) return undefined;
    if (handshake.type === "handshake") {
      return this.#run(exchange, handshake, info, onEnd);
    }
    return refuse(exchange, onEnd, handshake.status, handshake.headers);
  }

  async #run(
    exchange: Exchange,
    handshake: Handshake,
    info: ConnectionInfo,
    onEnd: EndWatcher,
  ): Promise<void> {
    if (this.#running >= this.#host.options.maxWebSockets) {
      return await refuse(exchange, onEnd, 503, [["retry-after", "1"]]);
    }
    this.#running++;
    const wire = new UpgradingWebSocket(
      exchange,
      handshake,
      this.#upgradeOptions,
    );
    const { subprotocols } = handshake;
    const scope = webSocketScope(exchange.request, info, subprotocols);
    const calls = new ReleasingCalls(this.#calls);
    const cycle = new WebSocketCycle(wire, scope, calls);
    this.#host.complete(scope, cycle);
    this.#cycles.set(cycle, undefined);
    const over = cycle.run(this.#host.app);
    // Both may have come before the cycle, while this class was loaded.
    if (this.#stopping) cycle.shutdown();
    if (exchange.disconnect !== undefined) cycle.disconnected();
    await cycle.answered;
    if (wire.upgraded !== undefined) {
      calls.opened(wire.upgraded);
      this.#follow(cycle, wire.upgraded, onEnd);
    } else {
      await over;
      this.#cycles.delete(cycle);
      onEnd(exchange);
    }
  }

  /** Sees an open WebSocket to its end; what HTTP has left is not held. */
  #follow(
    cycle: WebSocketCycle,
    socket: UpgradedWebSocket,
    onEnd: EndWatcher,
  ): void {
    this.#cycles.set(cycle, socket);
    this.#open++;
    this.#host.metrics?.webSocketOpened();
    const over = socket.gone.then(() => {
      this.#open--;
      this.#host.metrics?.webSocketClosed();
      this.#cycles.delete(cycle);
      onEnd(socket);
      this.#host.onChange();
    });
    handled(over); // Nothing of this rejects.
  }
}

/** Lets go of the messages of a WebSocket when its application has returned. */
class ReleasingCalls implements AppCalls {
  readonly #calls: AppCalls;
  #socket: UpgradedWebSocket | undefined;
  #returned = false;

  constructor(calls: AppCalls) {
    this.#calls = calls;
  }

  opened(socket: UpgradedWebSocket): void {
    this.#socket = socket;
    if (this.#returned) socket.release();
  }

  onAppError(error: unknown): void {
    this.#calls.onAppError(error);
  }

  onRefusedEvent(error: unknown): void {
    this.#calls.onRefusedEvent(error);
  }

  onIgnoredEvent(type: string): void {
    this.#calls.onIgnoredEvent(type);
  }

  onAppReturned(): void {
    this.#returned = true;
    this.#socket?.release();
    this.#calls.onAppReturned();
  }
}

/** Refuses a handshake; a client that is lost meanwhile is no failure of ours. */
async function refuse(
  exchange: Exchange,
  onEnd: EndWatcher,
  ...answer: Parameters<Exchange["refuse"]>
): Promise<void> {
  try {
    await exchange.refuse(...answer);
  } catch {
    exchange.abort();
  }
  onEnd(exchange);
}

function upgradeOptions(
  { options, metrics }: WebSocketDispatcherHost,
): UpgradeOptions {
  return {
    ...DEFAULT_WEBSOCKET_OPTIONS,
    maxMessageBytes: options.maxMessageBytes,
    pingInterval: options.pingInterval,
    pingTimeout: options.pingTimeout,
    messageTimeout: options.messageTimeout,
    idleTimeout: options.webSocketIdleTimeout,
    closeTimeout: options.closeTimeout,
    compression: options.compression,
    lingerTimeout: options.drainTimeout,
    meter: metrics?.counts,
    budget: new BufferBudget(options.maxBufferedBytes, metrics?.counts),
  };
}
