/**
 * Every flag of the command: its name, what it takes, its default, and what the
 * help says of it. Flags of the server's options take form and default from the
 * table of options.
 *
 * @module
 */

import {
  DEFAULT_OPTIONS,
  OPTION_KINDS,
  type OptionKind,
} from "../server/options.ts";
import {
  LISTEN_ADDRESS_EXPECTED,
  parseEndpoint,
  parseListenAddress,
} from "./listen_address.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { ALPN_PROTOCOLS } from "../server/listen_options.ts";
import {
  BACKLOG,
  BOOLEAN,
  choiceForm,
  COUNT,
  DURATION,
  MODE,
  NULLABLE_TEXT,
  PORT,
  PROXIES,
  ROOT_PATH,
  SIZE,
  STREAMS,
  textForm,
  type ValueForm,
  WHOLE,
  WINDOW,
  WORKERS,
} from "./values.ts";

/** One flag, which is an environment variable too. */
export interface Flag {
  /** The name, without the dashes before it. */
  readonly name: string;
  /** What it takes. */
  readonly form: ValueForm;
  /** What it does, in a few words. */
  readonly text: string;
  /** Its default as it would be written; `undefined` if there is none. */
  readonly default?: string | undefined;
  /** Whether it may be given several times; the variable takes commas. */
  readonly repeatable?: boolean;
}

/** Flags under a heading. */
export interface FlagGroup {
  /** The heading. */
  readonly title: string;
  /** The flags, in the order of the help. */
  readonly flags: readonly Flag[];
}

/** How options of each kind are written. */
const FORMS: Partial<Record<OptionKind, ValueForm>> = {
  count: COUNT,
  size: SIZE,
  time: DURATION,
  port: PORT,
  string: textForm("ADDRESS", "an address"),
  boolean: BOOLEAN,
  backlog: BACKLOG,
  streams: STREAMS,
  window: WINDOW,
  proxies: PROXIES,
  http3: BOOLEAN,
  "root path": ROOT_PATH,
  lifespan: choiceForm("auto", "on", "off"),
  "field value": NULLABLE_TEXT,
};

const FILE = textForm("FILE", "a file's path");
const PATH = textForm("PATH", "a path");

const ALPN = choiceForm(...ALPN_PROTOCOLS);
const LISTEN: ValueForm = {
  placeholder: "URL",
  expected: LISTEN_ADDRESS_EXPECTED,
  parse: parseListenAddress,
  format: String,
};

const HOST_PORT: ValueForm = {
  placeholder: "HOST:PORT",
  expected: "an address and a port, such as 127.0.0.1:9090",
  parse: parseEndpoint,
  format: String,
};

/** All flags, by subject. */
export const FLAG_GROUPS: readonly FlagGroup[] = [
  {
    title: "Application",
    flags: [
      setting(
        "factory",
        BOOLEAN,
        "The export is called, and returns the application",
      ),
      option("lifespan", "Whether the application gets lifespan events"),
      option("startupTimeout", "For the application to start"),
      option("shutdownTimeout", "For responses in flight at a shutdown"),
    ],
  },
  {
    title: "Listening",
    flags: [
      option("port", "Port to listen on; 0 takes a free one"),
      option("hostname", "Address to listen on (also: --host)"),
      plain(
        "listen",
        LISTEN,
        "http://HOST:PORT, https://HOST:PORT or unix:PATH, in place of the two above; may be repeated",
        true,
      ),
      plain("unix", PATH, "Unix socket to listen on, in place of a port"),
      plain("unix-mode", MODE, "Permissions of the unix socket"),
      option("backlog", "Connections that wait to be accepted"),
      option(
        "reusePort",
        "Share the port with other processes; needs deno run --unstable-net",
      ),
    ],
  },
  {
    title: "TLS",
    flags: [
      plain("cert", FILE, "Certificate chain, PEM; needs --key"),
      plain("key", FILE, "Private key, PEM; needs --cert"),
      plain(
        "key-passphrase",
        textForm("TEXT", "a passphrase"),
        "What decrypts the key; the variable, because others see flags",
      ),
      {
        ...plain(
          "alpn",
          ALPN,
          "Protocol to offer, the preferred first; may be repeated",
          true,
        ),
        default: ALPN_PROTOCOLS.join(","),
      },
      {
        ...plain(
          "tls-no-delay",
          BOOLEAN,
          "Small writes leave at once, at the cost of more CPU and memory",
        ),
        default: "false",
      },
      {
        ...plain(
          "tls-min-version",
          choiceForm("TLSv1.2", "TLSv1.3"),
          "Oldest version of TLS; needs --tls-no-delay",
        ),
        default: "TLSv1.2",
      },
      option("handshakeTimeout", "For a TLS handshake; past it: cut"),
    ],
  },
  {
    title: "Proxies",
    flags: [
      option(
        "trustedProxies",
        "Proxies whose X-Forwarded-For and -Proto count: addresses, ranges, unix",
      ),
      option("rootPath", "Prefix that a proxy takes off the path"),
      plain(
        "proxy-protocol",
        PROXIES,
        "Proxies that begin each connection with a PROXY protocol header",
      ),
    ],
  },
  {
    title: "HTTP/2",
    flags: [
      option("http2", "Speak HTTP/2 as well, if the client does"),
      option(
        "maxConcurrentStreams",
        "Open streams of a connection; past it: one is refused",
      ),
      option(
        "http2StreamWindow",
        "Content of a stream that is read ahead; past it: the client waits",
      ),
      option(
        "http2BufferBytes",
        "Content of all streams of a connection that is read ahead",
      ),
    ],
  },
  {
    title: "HTTP/3",
    flags: [
      option(
        "http3",
        "Serve HTTP/3 beside TLS, on the UDP port; experimental, needs deno run --unstable-net",
      ),
    ],
  },
  {
    title: "Limits",
    flags: [
      option(
        "maxConnections",
        "Open connections; past it: one without a request is closed, or none accepted",
      ),
      option("maxConcurrentRequests", "Requests being handled; past it: 503"),
      option(
        "maxRequestsPerConnection",
        "Requests on one connection, then it is closed",
      ),
      option("maxRequestLineBytes", "The request line; past it: 414"),
      option("maxHeaderBytes", "All fields of a request; past it: 431"),
      option("maxHeaders", "Number of fields of a request; past it: 431"),
      option("maxBodyBytes", "Content of a request; past it: 413"),
      option("drainBytes", "Of unread content, read to keep the connection"),
    ],
  },
  {
    title: "Time limits",
    flags: [
      option("headerTimeout", "For the head of a request; past it: 408"),
      option("keepAliveTimeout", "Idle between two requests; past it: close"),
      option("bodyTimeout", "Without a byte of awaited content; past it: 408"),
      option("writeTimeout", "Without progress of a write; past it: cut"),
      option("drainTimeout", "For unread content, and for the client to close"),
    ],
  },
  {
    title: "WebSocket",
    flags: [
      option("maxWebSockets", "Open WebSockets; past it: 503"),
      option(
        "maxMessageBytes",
        "A message, inflated; past it: close code 1009",
      ),
      option(
        "maxBufferedBytes",
        "Messages of all WebSockets; past it: close code 1013",
      ),
      option(
        "messageTimeout",
        "For 64 KiB of a message or its end; past it: close code 1008",
      ),
      option("pingInterval", "Silence of the client; past it: a ping"),
      option("pingTimeout", "Silence after a ping; past it: cut"),
      option(
        "webSocketIdleTimeout",
        "Without a message; past it: close code 1001",
      ),
      option("closeTimeout", "For the answer to a close; past it: cut"),
      option("compression", "Compress messages for clients that offer it"),
    ],
  },
  {
    title: "Responses",
    flags: [
      option(
        "earlyHints",
        "Offer early hints, which some proxies misread",
      ),
      option("dateHeader", "Send a date field"),
      option("serverHeader", "The server field; none leaves it out"),
    ],
  },
  {
    title: "Workers",
    flags: [
      setting("workers", WORKERS, "Processes that serve; auto is one a core"),
      setting(
        "maxRequests",
        COUNT,
        "Requests after which a worker is replaced",
      ),
      setting("maxRequestsJitter", WHOLE, "Up to so many are added at random"),
      setting(
        "maxWorkerMemory",
        SIZE,
        "Memory past which a worker is replaced",
      ),
      setting(
        "workerTimeout",
        DURATION,
        "Without an answer of a worker; past it: killed and replaced",
      ),
    ],
  },
  {
    title: "Reload",
    flags: [
      setting(
        "reload",
        BOOLEAN,
        "Restart when a module of the application changes",
      ),
      plain(
        "reload-path",
        PATH,
        "File or folder to watch too; may be repeated",
        true,
      ),
    ],
  },
  {
    title: "Metrics",
    flags: [
      plain(
        "metrics",
        HOST_PORT,
        "Address to serve /metrics, /livez and /readyz at",
      ),
    ],
  },
  {
    title: "Logs",
    flags: [
      setting(
        "logLevel",
        choiceForm("debug", "info", "warn", "error"),
        "Least level of what is logged to stderr",
      ),
      setting(
        "logFormat",
        choiceForm("plain", "json"),
        "For people, or JSON lines for machines",
      ),
      setting(
        "accessLog",
        textForm("FORMAT", "common, combined, json, off or a format"),
        "Requests, on stdout: common, combined, json, off, or a format such as '%h \"%r\" %s %b %D'; json with --log-format json",
      ),
    ],
  },
];

/** All flags by their names. */
export const FLAGS: ReadonlyMap<string, Flag> = new Map(
  FLAG_GROUPS.flatMap(({ flags }) => flags.map((flag) => [flag.name, flag])),
);

/** Other names of flags. */
export const ALIASES: Readonly<Record<string, string>> = {
  hostname: "host",
  help: "h",
  version: "V",
};

/** The flag of an option or setting: `maxHeaders` is `max-headers`. */
export function kebabCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The environment variable of a flag: `max-headers` is `ASGI_MAX_HEADERS`. */
export function environmentVariable(flag: string): string {
  return `ASGI_${flag.replaceAll("-", "_").toUpperCase()}`;
}

/** A flag that is an option of the server. */
function option(name: keyof typeof DEFAULT_OPTIONS, text: string): Flag {
  const form = FORMS[OPTION_KINDS[name]];
  if (form === undefined) throw new TypeError(`No form for option "${name}"`);
  const value = form.format(DEFAULT_OPTIONS[name]);
  return { name: kebabCase(name), form, text, default: value };
}

/** A flag that is a setting of the command. */
function setting(
  name: keyof typeof DEFAULT_SETTINGS | "factory",
  form: ValueForm,
  text: string,
): Flag {
  const preset = name === "factory" ? false : DEFAULT_SETTINGS[name];
  return { name: kebabCase(name), form, text, default: form.format(preset) };
}

/** A flag without a default. */
function plain(
  name: string,
  form: ValueForm,
  text: string,
  repeatable = false,
): Flag {
  return { name, form, text, repeatable };
}
