/**
 * The metrics of a server: one for everything that is counted. The values of
 * labels are few and fixed, whatever clients send.
 *
 * @module
 */

import {
  type Counts,
  DURATION_BOUNDS,
  METHODS,
  REFUSALS,
  STATUS_CLASSES,
} from "./counts.ts";
import type { Labels, Metric, Sample } from "./exposition.ts";

/** The metrics of counts, and of a process that started then, in Unix seconds. */
export function serverMetrics(
  counts: Readonly<Counts>,
  startSeconds: number,
): Metric[] {
  return [
    ...connectionMetrics(counts),
    ...http2Metrics(counts),
    ...http3Metrics(counts),
    ...requestMetrics(counts),
    ...webSocketMetrics(counts),
    counter(
      "asgi_log_lines_lost_total",
      "Lines of logs that nobody read, or that could not be written.",
      counts.logLinesLost,
    ),
    gauge("asgi_ready", "Servers that accept connections.", counts.ready),
    gauge(
      "process_resident_memory_bytes",
      "Resident memory of the processes that serve, in bytes.",
      counts.residentBytes,
    ),
    gauge(
      "process_start_time_seconds",
      "Start of the process, in seconds since 1970.",
      startSeconds,
    ),
  ];
}

/** A metric that only grows. */
export function counter(
  name: string,
  help: string,
  values: number | readonly Sample[],
): Metric {
  return { name, help, type: "counter", samples: samplesOf(values) };
}

/** A metric that goes up and down. */
export function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: "gauge", samples: samplesOf(value) };
}

function connectionMetrics(counts: Readonly<Counts>): Metric[] {
  return [
    counter(
      "asgi_connections_accepted_total",
      "Connections that were accepted.",
      counts.connectionsAccepted,
    ),
    gauge(
      "asgi_connections_open",
      "Connections that are open, those of WebSockets included.",
      counts.connectionsOpen,
    ),
    counter(
      "asgi_handshake_failures_total",
      "Connections that failed before their first request.",
      [
        sample(counts.tlsFailures, { handshake: "tls" }),
        sample(counts.proxyHeaderFailures, { handshake: "proxy_protocol" }),
      ],
    ),
    counter(
      "asgi_received_bytes_total",
      "Bytes read from connections, inside of TLS.",
      counts.bytesReceived,
    ),
    counter(
      "asgi_sent_bytes_total",
      "Bytes written to connections, inside of TLS.",
      counts.bytesSent,
    ),
    counter(
      "asgi_write_timeouts_total",
      "Connections cut because the client did not read.",
      counts.writeTimeouts,
    ),
  ];
}

function http2Metrics(counts: Readonly<Counts>): Metric[] {
  return [
    gauge(
      "asgi_http2_streams_open",
      "Streams of HTTP/2 that are open, those of WebSockets included.",
      counts.http2StreamsOpen,
    ),
    counter(
      "asgi_http2_streams_refused_total",
      "Streams of HTTP/2 that were refused because too many were open.",
      counts.http2StreamsRefused,
    ),
    counter(
      "asgi_http2_abuse_total",
      "Connections of HTTP/2 that were closed with ENHANCE_YOUR_CALM.",
      counts.http2ConnectionsClosedForAbuse,
    ),
  ];
}

function http3Metrics(counts: Readonly<Counts>): Metric[] {
  return [
    gauge(
      "asgi_http3_streams_open",
      "Streams of requests over HTTP/3 that are open, those of WebSockets included.",
      counts.http3StreamsOpen,
    ),
    counter(
      "asgi_http3_streams_refused_total",
      "Requests over HTTP/3 that were refused because too many were under way.",
      counts.http3StreamsRefused,
    ),
    counter(
      "asgi_http3_abuse_total",
      "Connections of HTTP/3 that were closed with H3_EXCESSIVE_LOAD.",
      counts.http3ConnectionsClosedForAbuse,
    ),
  ];
}

function requestMetrics(counts: Readonly<Counts>): Metric[] {
  return [
    gauge(
      "asgi_requests_in_progress",
      "Requests being handled, without open WebSockets.",
      counts.requestsInProgress,
    ),
    counter(
      "asgi_requests_total",
      "Requests that were answered or given up, by method and class of status.",
      requestSamples(counts.requests),
    ),
    {
      name: "asgi_request_duration_seconds",
      help:
        "Time from the head of a request to the end of its response, or to the answer to a WebSocket's handshake.",
      type: "histogram",
      samples: histogramSamples(counts.durations, counts.durationSeconds),
    },
    counter(
      "asgi_requests_refused_total",
      "Requests that the server has refused, by status.",
      REFUSALS.map((status, index) =>
        sample(counts.refused[index], { status: String(status) })
      ),
    ),
    counter(
      "asgi_client_disconnects_total",
      "Requests whose client disconnected before the response was complete.",
      counts.clientDisconnects,
    ),
    counter(
      "asgi_app_errors_total",
      "Errors that the application has thrown, and responses it did not complete.",
      counts.appErrors,
    ),
  ];
}

function webSocketMetrics(counts: Readonly<Counts>): Metric[] {
  return [
    counter(
      "asgi_websockets_accepted_total",
      "WebSockets that were opened.",
      counts.webSocketsAccepted,
    ),
    gauge(
      "asgi_websockets_open",
      "WebSockets that are open.",
      counts.webSocketsOpen,
    ),
    counter(
      "asgi_websocket_messages_total",
      "Messages of WebSockets that the application has received and sent.",
      [
        sample(counts.messagesReceived, { direction: "received" }),
        sample(counts.messagesSent, { direction: "sent" }),
      ],
    ),
    gauge(
      "asgi_websocket_buffered_bytes",
      "Bytes of messages of more than 64 KiB that are held.",
      counts.bufferedBytes,
    ),
    counter(
      "asgi_websocket_messages_refused_total",
      "Messages that were refused because too many were held.",
      counts.bufferRefusals,
    ),
  ];
}

/** Pairs that never occurred are left out. */
function requestSamples(requests: readonly number[]): Sample[] {
  return requests
    .map((value, index) => {
      const method = METHODS[Math.floor(index / STATUS_CLASSES.length)];
      const status = STATUS_CLASSES[index % STATUS_CLASSES.length];
      return sample(value, { method, status });
    })
    .filter(({ value }) => value > 0);
}

/** Each bucket holds those before it, too. */
function histogramSamples(counts: readonly number[], sum: number): Sample[] {
  let count = 0;
  const buckets = counts.map((value, index) => {
    const bound = DURATION_BOUNDS[index];
    const le = bound === undefined ? "+Inf" : String(bound);
    return { suffix: "_bucket", labels: { le }, value: count += value };
  });
  return [
    ...buckets,
    { suffix: "_sum", value: sum },
    { suffix: "_count", value: count },
  ];
}

function samplesOf(values: number | readonly Sample[]): readonly Sample[] {
  return typeof values === "number" ? [sample(values)] : values;
}

function sample(value: number, labels?: Labels): Sample {
  return labels === undefined ? { value } : { value, labels };
}
