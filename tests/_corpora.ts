// Corpora of other projects, which lie beside the repository and are never copied
// into it: `../shared/data/` holds what `README.md` there says of each. Tests that
// read them are ignored where they are absent, and say so.

import { gunzipSync } from "node:zlib";

const DATA = new URL("../../shared/data/", import.meta.url);

/** What the source of a case makes of it; "either" if both are safe. */
export type Expectation = "accept" | "reject" | "incomplete" | "either";

/** Bytes on the wire, and what becomes of them. */
export interface CorpusCase {
  readonly id: string;
  /** A byte string. */
  readonly raw: string;
  readonly expect: Expectation;
  /** The source's own name for the fault. */
  readonly note?: string;
}

/** The cases of a corpus, or why there are none. */
export type Corpus =
  | { readonly cases: readonly CorpusCase[]; readonly absent?: undefined }
  | { readonly cases: readonly []; readonly absent: string };

/** Reads `http1/NAME.json`. */
export function readRequestCorpus(name: string): Corpus {
  const { url, absent } = locate(`http1/${name}.json`);
  if (absent !== undefined) return { cases: [], absent };
  const { cases } = JSON.parse(Deno.readTextFileSync(url));
  return { cases: withUniqueIds(cases) };
}

/** A list of fields, as byte strings. */
export type FieldPairs = readonly (readonly [name: string, value: string])[];

/** What RFC 7541 shows: its examples with the table after each block, its code. */
export interface HpackExamples {
  readonly examples: readonly {
    readonly section: string;
    /** The limit of the table, set before the first block. */
    readonly tableSize: number;
    readonly huffman: boolean;
    readonly blocks: readonly {
      /** In hexadecimal digits. */
      readonly wire: string;
      readonly headers: FieldPairs;
      /** The entries, the newest first. */
      readonly table: FieldPairs;
      /** What they weigh. */
      readonly tableSize: number;
    }[];
  }[];
  /** The code of each symbol as a number, and its bits. */
  readonly huffman: readonly (readonly [code: number, bits: number])[];
}

/** Header blocks that 14 encoders made of the same lists. */
export interface HpackStories {
  /** For each story, the lists of its blocks. */
  readonly headers: Readonly<Record<string, readonly FieldPairs[]>>;
  readonly encoders: Readonly<
    Record<string, {
      /** Hexadecimal digits; with them, the limit set just before the block. */
      readonly stories: Readonly<
        Record<string, readonly (string | readonly [string, number])[]>
      >;
    }>
  >;
}

/** Field sections that six encoders of QPACK made of the same lists. */
export interface QpackEncodings {
  readonly cases: readonly {
    readonly encoder: string;
    /** Which of the lists. */
    readonly qif: string;
    /** The capacity of the table, from the start. */
    readonly table: number;
    /** How many streams may wait. */
    readonly blocked: number;
    readonly ack: number;
    /** A byte string: the stream (8 bytes), a length (4), and so many bytes. */
    readonly wire: string;
  }[];
}

/** The lists of fields that they were made of. */
export interface QpackLists {
  readonly lists: Readonly<Record<string, readonly FieldPairs[]>>;
}

/** Inputs that must fail, or stay incomplete. */
export interface QpackErrors {
  readonly cases: readonly { readonly id: string; readonly wire: string }[];
}

/** A file that may be absent; it is read when a test needs it. */
export interface DataFile<T> {
  /** Why it cannot be read, if it cannot. */
  readonly absent?: string;
  read(): T;
}

/** The examples and the Huffman code of RFC 7541. */
export const hpackExamples: DataFile<HpackExamples> = dataFile(
  "http2/rfc7541.json",
  (bytes) => new TextDecoder().decode(bytes),
);

/** The stories of 14 encoders. */
export const hpackStories: DataFile<HpackStories> = dataFile(
  "http2/hpack_stories.json.gz",
  unpackText,
);

function unpackText(bytes: Uint8Array): string {
  return new TextDecoder().decode(gunzipSync(bytes));
}

/** What six encoders of QPACK made of lists of fields. */
export const qpackEncodings: DataFile<QpackEncodings> = dataFile(
  "http3/encoded.json.gz",
  unpackText,
);

/** The lists. */
export const qpackLists: DataFile<QpackLists> = dataFile(
  "http3/qifs.json.gz",
  unpackText,
);

/** What must fail. */
export const qpackErrors: DataFile<QpackErrors> = dataFile(
  "http3/errors.json.gz",
  unpackText,
);

/** Declares a test of a file that is ignored, and says why, where it is absent. */
export function corpusTest<T>(
  file: DataFile<T>,
  name: string,
  fn: (data: T) => void,
): void {
  const skipped = file.absent === undefined ? "" : ` (skipped: ${file.absent})`;
  Deno.test({
    name: name + skipped,
    ignore: file.absent !== undefined,
    fn: () => fn(file.read()),
  });
}

function dataFile<T>(
  path: string,
  unpack: (bytes: Uint8Array) => string,
): DataFile<T> {
  const { url, absent } = locate(path);
  let data: T | undefined;
  return {
    absent,
    read: () => data ??= JSON.parse(unpack(Deno.readFileSync(url))) as T,
  };
}

/** Where a file is, and why it cannot be read if that is so. */
function locate(path: string): { url: URL; absent?: string } {
  const url = new URL(path, DATA);
  const { state } = Deno.permissions.querySync({ name: "read", path: url });
  if (state !== "granted") return { url, absent: "no read permission" };
  try {
    Deno.statSync(url);
    return { url };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { url, absent: `../shared/data/${path} is absent` };
  }
}

/** Reads `http2/NAME.json`, whose shape its own README gives. */
export function readHttp2Data<T>(name: string): T | { absent: string } {
  const file = new URL(`http2/${name}.json`, DATA);
  const { state } = Deno.permissions.querySync({ name: "read", path: file });
  if (state !== "granted") return { absent: "no read permission" };
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { absent: `../shared/data/http2/${name}.json is absent` };
  }
}

function withUniqueIds(cases: readonly CorpusCase[]): CorpusCase[] {
  const seen = new Map<string, number>();
  return cases.map((one) => {
    const times = (seen.get(one.id) ?? 0) + 1;
    seen.set(one.id, times);
    return times === 1 ? one : { ...one, id: `${one.id} (${times})` };
  });
}
