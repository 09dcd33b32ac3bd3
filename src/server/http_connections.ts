/**
 * From a socket to a connection that speaks HTTP, whose requests go to the
 * dispatcher.
 *
 * @module
 */

import type { ServedConnection } from "../http/served_connection.ts";
import { Http1Connection } from "../http1/connection.ts";
import {
  Connection,
  type ConnectionOptions,
  type SocketConn,
} from "../net/connection.ts";
import type { Listener } from "../net/listener.ts";
import { connectionInfo } from "./connection_info.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { ResolvedOptions } from "./options.ts";

/** What the connections of a server have in common. */
export interface HttpConnectionsOptions
  extends Pick<ConnectionOptions, "clock" | "meter"> {
  /** Limits, deadlines, and defaults. */
  readonly options: ResolvedOptions;
}

/** Makes the function that makes a connection, whose requests `dispatcher` answers. */
export function httpConnections(
  dispatcher: Dispatcher,
  { clock, meter, options }: HttpConnectionsOptions,
): (conn: SocketConn, listener: Listener) => ServedConnection {
  const { writeTimeout } = options;
  return (conn, { address }) => {
    const transport = new Connection(conn, { writeTimeout, clock, meter });
    const info = connectionInfo(transport, address);
    const connection = new Http1Connection(
      transport,
      (exchange) => dispatcher.dispatch(exchange, info),
      options,
    );
    connection.onRefused = (refused) => dispatcher.recordRefused(refused, info);
    return connection;
  };
}
