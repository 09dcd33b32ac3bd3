/**
 * What a TLS handshake has agreed on, in the numbers of the protocol.
 *
 * @module
 */

/** What a handshake has agreed on. */
export interface TlsParameters {
  /** The certificate that the server has sent, as PEM text. */
  readonly serverCert: string;
  /** The number of the version: 0x0303 for TLS 1.2, 0x0304 for TLS 1.3. */
  readonly version: number;
  /** The number of the cipher suite in IANA's registry. */
  readonly cipherSuite: number;
}

const VERSIONS: Readonly<Record<string, number>> = {
  "TLSv1.2": 0x0303,
  "TLSv1.3": 0x0304,
};

/** All cipher suites of Deno. */
const CIPHER_SUITES: Readonly<Record<string, number>> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 0xc02b,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 0xc02f,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
};

/** From names to numbers; `undefined` if one of them is not known. */
export function tlsParameters(
  serverCert: string,
  versionName: string | null,
  cipherSuiteName: string,
): TlsParameters | undefined {
  const version = VERSIONS[versionName ?? ""];
  const cipherSuite = CIPHER_SUITES[cipherSuiteName];
  if (version === undefined || cipherSuite === undefined) return undefined;
  return { serverCert, version, cipherSuite };
}

/** The first certificate of a chain: that of the server itself. */
export function firstCertificate(chain: string): string {
  const pattern = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/;
  return `${pattern.exec(chain)?.[0] ?? chain}\n`;
}
