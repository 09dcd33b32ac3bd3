// Certificates that are made for a test: self-signed, X.509 version 3, for
// "localhost" and the addresses of the loopback interface. Written by hand in
// DER (ITU-T X.690), because nothing here makes certificates.

/** A certificate and its private key, in PEM. */
export interface TestCertificate {
  /** The certificate; clients that trust it take it as a root. */
  readonly cert: string;
  /** The private key, in PKCS #8. */
  readonly key: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
/** Tags that a field of the standard gives its own meaning. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

const ECDSA_WITH_SHA256 = der(
  SEQUENCE,
  der(OBJECT_ID, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]),
);
const COMMON_NAME = der(OBJECT_ID, [0x55, 0x04, 0x03]);
const SUBJECT_ALT_NAME = der(OBJECT_ID, [0x55, 0x1d, 0x11]);

/** Makes a certificate with a key of its own; `name` distinguishes it from others. */
export async function createCertificate(
  name = "test",
): Promise<TestCertificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    algorithm,
    true,
    ["sign", "verify"],
  );
  const publicInfo = await exported("spki", publicKey);
  const content = toBeSigned(name, publicInfo);
  const signature = new Uint8Array(
    await crypto.subtle.sign(algorithm, privateKey, content),
  );
  const certificate = der(
    SEQUENCE,
    content,
    ECDSA_WITH_SHA256,
    der(BIT_STRING, [0], ecdsaSignature(signature)),
  );
  return {
    cert: pem("CERTIFICATE", certificate),
    key: pem("PRIVATE KEY", await exported("pkcs8", privateKey)),
  };
}

async function exported(
  format: "spki" | "pkcs8",
  key: CryptoKey,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.exportKey(format, key));
}

function toBeSigned(
  name: string,
  publicInfo: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const issuer = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, ascii(name)))),
  );
  const day = 24 * 60 * 60 * 1000;
  const validity = der(
    SEQUENCE,
    time(Date.now() - day),
    time(Date.now() + day),
  );
  const serial = crypto.getRandomValues(new Uint8Array(16));
  serial[0] = serial[0] & 0x7f | 0x40; // Positive, and in its shortest form.
  return der(
    SEQUENCE,
    der(VERSION, der(INTEGER, [2])),
    der(INTEGER, serial),
    ECDSA_WITH_SHA256,
    issuer,
    validity,
    issuer,
    publicInfo,
    der(EXTENSIONS, der(SEQUENCE, alternativeNames())),
  );
}

function alternativeNames(): Uint8Array {
  const names = der(
    SEQUENCE,
    der(DNS_NAME, ascii("localhost")),
    der(IP_ADDRESS, [127, 0, 0, 1]),
    der(IP_ADDRESS, [...new Uint8Array(15), 1]),
  );
  return der(SEQUENCE, SUBJECT_ALT_NAME, der(OCTET_STRING, names));
}

function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\..*/g, "");
  return der(GENERALIZED_TIME, ascii(`${digits}Z`));
}

/** Two numbers of 32 bytes each, as the pair of integers that X.509 has. */
function ecdsaSignature(raw: Uint8Array): Uint8Array {
  return der(
    SEQUENCE,
    unsigned(raw.subarray(0, 32)),
    unsigned(raw.subarray(32)),
  );
}

function unsigned(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const digits = bytes.subarray(start);
  return der(INTEGER, digits[0] >= 0x80 ? [0] : [], digits);
}

/** A tag, the length of what follows, and that. */
function der(
  tag: number,
  ...parts: (ArrayLike<number>)[]
): Uint8Array<ArrayBuffer> {
  const content = parts.flatMap((part) => Array.from(part));
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Uint8Array.from([tag, ...size, ...content]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g)!;
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""]
    .join("\n");
}
