/**
 * From a WebSocket's handshake to the application: checks it, holds the limit on
 * how many there are, and follows each to its end.
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
import {
  type WebSocketCalls,
  WebSocketCycle,
} from "../asgi/websocket_cycle.ts";
import type { Exchange } from "../http/exchange.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { handled } from "../streams/handled.ts";
import { BufferBudget } from "../websocket/buffer_budget.ts";
import { DEFAULT_WEBSOCKET_OPTIONS } from "../websocket/options.ts";
import type { Outcome } from "./access_records.ts";
import type { ResolvedOptions } from "./options.ts";
import {
  readWebSocketRequest,
  type WebSocketRequest,
} from "./websocket_handshake.ts";
import {
  type OpenWebSocket,
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

/** Called at the end of one WebSocket. */
type EndWatcher = (outcome: Outcome) => void;

/** Calls the application for the WebSockets of all connections of a server. */
export class WebSocketDispatcher {
  readonly #host: WebSocketDispatcherHost;
  readonly #calls: WebSocketCalls;
  readonly #upgradeOptions: UpgradeOptions;
  readonly #cycles = new Set<WebSocketCycle>();
  /** Calls of the application that have not returned. */
  #running = 0;
  #open = 0;
  #stopping = false;

  /** Starts with none. */
  constructor(host: WebSocketDispatcherHost) {
    this.#host = host;
    this.#upgradeOptions = upgradeOptions(host);
    this.#calls = {
      ...host.createCalls(() => this.#running--),
      meter: host.metrics?.counts,
    };
  }

  /** Calls of the application that have not returned. */
  get running(): number {
    return this.#running;
  }

  /** WebSockets that are open. */
  get open(): number {
    return this.#open;
  }

  /** Closes all WebSockets, and those that come later. */
  shutdown(): void {
    this.#stopping = true;
    for (const cycle of this.#cycles) cycle.shutdown();
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
    const request = readWebSocketRequest(exchange.request);
    if (request === undefined) return undefined;
    if (request.type === "request") {
      return this.#run(exchange, request, info, onEnd);
    }
    return refuse(exchange, onEnd, request.status, request.headers);
  }

  async #run(
    exchange: Exchange,
    request: WebSocketRequest,
    info: ConnectionInfo,
    onEnd: EndWatcher,
  ): Promise<void> {
    if (this.#running >= this.#host.options.maxWebSockets) {
      return await refuse(exchange, onEnd, 503, [["retry-after", "1"]]);
    }
    this.#running++;
    const wire = new UpgradingWebSocket(
      exchange,
      request,
      this.#upgradeOptions,
    );
    const { subprotocols } = request;
    const scope = webSocketScope(exchange.request, info, subprotocols);
    const cycle = new WebSocketCycle(wire, scope, this.#calls);
    this.#host.complete(scope, cycle);
    this.#cycles.add(cycle);
    const over = cycle.run(counted(this.#host.app, exchange));
    // Both may have come before the cycle, while this class was loaded.
    if (this.#stopping) cycle.shutdown();
    if (exchange.disconnect !== undefined) cycle.disconnected();
    await cycle.answered;
    if (wire.opened !== undefined) {
      this.#follow(cycle, wire.opened, onEnd);
    } else {
      await over;
      this.#cycles.delete(cycle);
      onEnd(exchange);
    }
  }

  /** Sees an open WebSocket to its end, and holds nothing of its exchange. */
  #follow(
    cycle: WebSocketCycle,
    socket: OpenWebSocket,
    onEnd: EndWatcher,
  ): void {
    this.#open++;
    this.#host.metrics?.webSocketOpened();
    const over = socket.outcome.then((outcome) => {
      this.#open--;
      this.#host.metrics?.webSocketClosed();
      this.#cycles.delete(cycle);
      onEnd(outcome);
      this.#host.onChange();
    });
    handled(over); // Nothing of this rejects.
  }
}

/** The call counts as one of the client's, as long as it runs. */
function counted(app: AsgiApp, exchange: Exchange): AsgiApp {
  if (exchange.callBegan === undefined) return app;
  exchange.callBegan();
  return async (scope, receive, send) => {
    try {
      await app(scope, receive, send);
    } finally {
      exchange.callReturned?.();
    }
  };
}

/** Refuses a handshake; that a client is lost meanwhile is no failure. */
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
    budget: new BufferBudget(options.maxBufferedBytes, metrics?.counts),
  };
}
