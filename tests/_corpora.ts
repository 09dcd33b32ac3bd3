// Request corpora of other projects, which lie beside the repository and are
// never copied into it: `../shared/data/` holds what `README.md` there says of
// each. Tests that read them are ignored where they are absent, and say so.

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
  const file = new URL(`http1/${name}.json`, DATA);
  const { state } = Deno.permissions.querySync({ name: "read", path: file });
  if (state !== "granted") return { cases: [], absent: "no read permission" };
  try {
    const { cases } = JSON.parse(Deno.readTextFileSync(file));
    return { cases: withUniqueIds(cases) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { cases: [], absent: `../shared/data/http1/${name}.json is absent` };
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
