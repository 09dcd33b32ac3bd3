/**
 * From the flags that say where to listen to the server's options: either one
 * TCP address, made of `--hostname` and `--port`, or whatever `--listen` and
 * `--unix` list.
 *
 * @module
 */

import type { ServerAddress } from "../net/listener_address.ts";
import type {
  ListenOptions,
  TcpListenOptions,
  TlsOptions,
} from "../server/listen_options.ts";
import type { ServeOptions } from "../server/options.ts";
import { UsageError } from "./errors.ts";
import type { FlagValues } from "./flag_values.ts";

/**
 * The options that say where to listen, and how TLS is done there.
 *
 * @throws {UsageError} If flags contradict each other.
 */
export function listeningOptions(values: FlagValues): ServeOptions {
  values.exclude(["listen", "unix"], ["port", "hostname"]);
  values.need("cert", ["key"]);
  values.need("key", ["cert"]);
  values.need("key-passphrase", ["cert"]);
  values.need("alpn", ["cert"]);
  values.need("tls-no-delay", ["cert"]);
  values.need("tls-min-version", ["tls-no-delay"]);
  checkHttp3(values);
  const addresses = listAddresses(values);
  const proxies = proxyOptions(values);
  const tls = tlsOptions(values);
  checkSecurity(addresses, values, tls !== undefined);
  if (!addresses.some(({ transport }) => transport === "unix")) {
    values.need("unix-mode", ["unix"]);
  }
  if (addresses.length > 0) {
    const mode = values.get<number>("unix-mode");
    const secured = { tls, ...http3Option(values) };
    const listen = addresses.map((each) => listenOption(each, secured, mode));
    return { listen: listen.map((each) => ({ ...each, ...proxies })) };
  }
  if (tls === undefined) return proxies;
  return { tls, ...http3Option(values), ...proxies };
}

function checkHttp3(values: FlagValues): void {
  if (values.get("http3") !== true) values.delete("http3");
  values.need("http3", ["cert"]);
  values.exclude(["http3"], ["proxy-protocol"]);
}

/** Every address for TLS gets it. */
function http3Option(values: FlagValues): { http3?: true } {
  return values.get("http3") === true ? { http3: true } : {};
}

function listAddresses(values: FlagValues): ServerAddress[] {
  const path = values.get<string>("unix");
  const listed = values.get<ServerAddress[]>("listen") ?? [];
  return path === undefined ? listed : [...listed, { transport: "unix", path }];
}

function tlsOptions(values: FlagValues): TlsOptions | undefined {
  const cert = values.get<string>("cert");
  const key = values.get<string>("key");
  if (cert === undefined || key === undefined) return undefined;
  const given = {
    passphrase: values.get<string>("key-passphrase"),
    alpn: values.get<string[]>("alpn"),
    noDelay: values.get<boolean>("tls-no-delay"),
    minVersion: values.get<TlsOptions["minVersion"]>("tls-min-version"),
  };
  const entries = Object.entries(given)
    .filter(([, value]) => value !== undefined);
  return { cert, key, ...Object.fromEntries(entries) };
}

/** Every address is reached through these proxies. */
function proxyOptions(values: FlagValues): { proxyProtocol?: string[] } {
  // The header comes before the handshake, and only so it can be read.
  if (!values.get<boolean>("tls-no-delay")) {
    values.exclude(["proxy-protocol"], ["cert"]);
  }
  const proxyProtocol = values.get<string[]>("proxy-protocol");
  return proxyProtocol === undefined ? {} : { proxyProtocol };
}

function checkSecurity(
  addresses: readonly ServerAddress[],
  values: FlagValues,
  hasCertificate: boolean,
): void {
  const secure = addresses.some((each) =>
    each.transport === "tcp" && each.secure
  );
  if (secure && !hasCertificate) {
    throw new UsageError(
      `${values.nameOf("listen")} with https:// needs --cert and --key`,
    );
  }
  if (hasCertificate && !secure && addresses.length > 0) {
    throw new UsageError(
      `${
        values.nameOf("cert")
      } is for an https:// address, and none is listened on`,
    );
  }
}

function listenOption(
  address: ServerAddress,
  secured: Pick<TcpListenOptions, "tls" | "http3">,
  mode: number | undefined,
): ListenOptions {
  if (address.transport === "unix") {
    return mode === undefined
      ? { path: address.path }
      : { path: address.path, mode };
  }
  const { hostname, port, secure } = address;
  return secure ? { hostname, port, ...secured } : { hostname, port };
}
