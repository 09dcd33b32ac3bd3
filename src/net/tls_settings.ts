/**
 * How a listener serves TLS.
 *
 * @module
 */

import type { KeySource } from "./certified_key.ts";

/** A certificate, what is offered with it, and which way TLS is served. */
export interface TlsSettings extends KeySource {
  /** The protocols to offer. */
  readonly alpn: readonly string[];
  /** Whether small writes leave at once. */
  readonly noDelay: boolean;
  /** The oldest version of TLS; with `noDelay` only. */
  readonly minVersion: TlsVersion;
}

/** A version of TLS. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";
