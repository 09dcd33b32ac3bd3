/**
 * Stand-in for `@std/cli`, used where JSR is out of reach: `parseArgs` as far
 * as a server's command line needs it. Left out are dotted names
 * (`--a.b=1` as a nested object) and clusters of short flags in which one but
 * the last takes a value. The rule is that of `tools/jsr/update.ts`.
 *
 * @module
 */

type Names<T extends string> = T | readonly T[];

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions<
  TBoolean extends string = string,
  TString extends string = string,
  TCollect extends string = string,
  TNegatable extends string = string,
  TDefault extends Record<string, unknown> = Record<string, unknown>,
  TDoubleDash extends boolean = boolean,
> {
  /** Puts what follows `--` under the key `"--"` instead of `_`. */
  "--"?: TDoubleDash;
  /** Other names of an option. */
  alias?: Record<string, string | readonly string[]>;
  /** Options without a value; `true` makes every `--name` one of them. */
  boolean?: boolean | Names<TBoolean>;
  /** What an option is when it was not given. */
  default?: TDefault;
  /** Puts everything from the first positional argument on into `_`. */
  stopEarly?: boolean;
  /** Options whose value is never read as a number. */
  string?: Names<TString>;
  /** Options that may be given several times, and are arrays. */
  collect?: Names<TCollect>;
  /** Options that `--no-name` sets to `false`. */
  negatable?: Names<TNegatable>;
  /** Called for what no option names; `false` leaves it out of the result. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} returns: the options, and the rest under `_`. */
export type Args<
  // deno-lint-ignore no-explicit-any
  TArgs extends Record<string, unknown> = Record<string, any>,
  TDoubleDash extends boolean | undefined = undefined,
> =
  & TArgs
  & { _: Array<string | number> }
  & (TDoubleDash extends true ? { "--": string[] } : { "--"?: string[] });

/** The type of each option, from the names in the call. */
type Values<
  B extends string,
  S extends string,
  C extends string,
  N extends string,
  D extends Record<string, unknown>,
> = [B | S | C] extends [never]
  // deno-lint-ignore no-explicit-any
  ? Record<string, any>
  :
    & Record<string, unknown>
    & { [K in Exclude<B, C>]: boolean | Default<K, D> }
    & { [K in Extract<B, C>]: boolean[] | Default<K, D> }
    & { [K in Extract<S, C>]: string[] | Negated<K, N> | Default<K, D> }
    & { [K in Exclude<Given<S, D>, C>]: string | Negated<K, N> | Default<K, D> }
    & { [K in Exclude<S, C | Given<S, D>>]?: string | Negated<K, N> }
    & { [K in Exclude<C, B | S>]: unknown[] | Negated<K, N> };

type Given<K, D> = Extract<K, keyof D>;
type Default<K, D> = K extends keyof D ? D[K] : never;
type Negated<K, N> = K extends N ? false : never;

/**
 * Parses command line arguments into an object of options.
 *
 * @example
 * ```ts ignore
 * const args = parseArgs(["--port", "8000", "app.ts"], { string: ["port"] });
 * // { port: "8000", _: ["app.ts"] }
 * ```
 */
export function parseArgs<
  B extends string = never,
  S extends string = never,
  C extends string = never,
  N extends string = never,
  // deno-lint-ignore ban-types
  D extends Record<string, unknown> = {},
  TDoubleDash extends boolean = false,
>(
  args: string[],
  options: ParseOptions<B, S, C, N, D, TDoubleDash> = {},
): Args<Values<B, S, C, N, D>, TDoubleDash> {
  const result = new Parser(options as ParseOptions).parse(args);
  return result as Args<Values<B, S, C, N, D>, TDoubleDash>;
}

type Value = string | number | boolean;

class Parser {
  readonly #options: ParseOptions;
  readonly #aliases = new Map<string, string[]>();
  readonly #boolean: Set<string>;
  readonly #string: Set<string>;
  readonly #collect: Set<string>;
  readonly #negatable: Set<string>;
  readonly #result: Args = { _: [] };
  #rest: string[] = [];

  constructor(options: ParseOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const group = [name, ...[others].flat()];
      for (const one of group) {
        this.#aliases.set(one, group.filter((other) => other !== one));
      }
    }
    const { boolean } = options;
    this.#boolean = this.#names(typeof boolean === "boolean" ? [] : boolean);
    this.#string = this.#names(options.string);
    this.#collect = this.#names(options.collect);
    this.#negatable = this.#names(options.negatable);
  }

  parse(args: string[]): Args {
    const dashes = args.indexOf("--");
    this.#rest = dashes < 0 ? [...args] : args.slice(0, dashes);
    const after = dashes < 0 ? [] : args.slice(dashes + 1);
    while (this.#rest.length > 0) this.#parseOne(this.#rest.shift()!);
    this.#addDefaults();
    if (this.#options["--"]) this.#result["--"] = after;
    else this.#result._.push(...after);
    return this.#result;
  }

  #parseOne(arg: string): void {
    if (/^--./.test(arg)) this.#parseLong(arg);
    else if (/^-[^-]/.test(arg)) this.#parseShort(arg);
    else this.#addPositional(arg);
  }

  #parseLong(arg: string): void {
    const [, name, given] = /^--(.+?)(?:=(.+))?$/s.exec(arg)!;
    if (given !== undefined) {
      const value = this.#boolean.has(name) ? given !== "false" : given;
      return this.#set(name, value, arg);
    }
    const positive = name.replace(/^no-/, "");
    if (positive !== name && this.#negatable.has(positive)) {
      return this.#set(positive, false, arg, true);
    }
    const flag = this.#boolean.has(name) || this.#options.boolean === true;
    this.#set(name, this.#takeValue(name, flag, /^-/), arg);
  }

  #parseShort(arg: string): void {
    for (let at = 1; at < arg.length; at++) {
      const [letter, tail] = [arg[at], arg.slice(at + 1)];
      if (tail === "") {
        const flag = this.#boolean.has(letter);
        return this.#set(
          letter,
          this.#takeValue(letter, flag, /^--?[^-]/),
          arg,
        );
      }
      if (/^=./s.test(tail)) return this.#set(letter, tail.slice(1), arg);
      if (/^-?\d/.test(tail) || /^\W/.test(tail)) {
        return this.#set(letter, tail, arg);
      }
      this.#set(letter, this.#string.has(letter) ? "" : true, arg);
    }
  }

  /** The value of an option that carries none: the next argument, if it can. */
  #takeValue(name: string, flag: boolean, looksLikeOption: RegExp): Value {
    const next = this.#rest[0];
    if (next === "true" || next === "false") {
      this.#rest.shift();
      return flag ? next === "true" : next;
    }
    if (next && !flag && !looksLikeOption.test(next)) {
      return this.#rest.shift()!;
    }
    return this.#string.has(name) ? "" : true;
  }

  #addPositional(arg: string): void {
    if (this.#options.unknown?.(arg) !== false) {
      this.#result._.push(this.#string.has("_") ? arg : toNumber(arg));
    }
    if (this.#options.stopEarly) this.#result._.push(...this.#rest.splice(0));
  }

  #set(name: string, given: Value, arg: string, replace = false): void {
    if (
      !this.#isKnown(name, arg) &&
      this.#options.unknown?.(arg, name, given) === false
    ) return;
    const value = typeof given === "string" && !this.#string.has(name)
      ? toNumber(given)
      : given;
    for (const key of [name, ...this.#aliases.get(name) ?? []]) {
      const before = this.#result[key];
      this.#result[key] = replace || !this.#collect.has(key)
        ? value
        : [...Array.isArray(before) ? before : [], value];
    }
  }

  #isKnown(name: string, arg: string): boolean {
    return this.#boolean.has(name) || this.#string.has(name) ||
      this.#aliases.has(name) ||
      this.#options.boolean === true && /^--[^=]+$/.test(arg);
  }

  #addDefaults(): void {
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      if (Object.hasOwn(this.#result, name)) continue;
      for (const key of [name, ...this.#aliases.get(name) ?? []]) {
        this.#result[key] = value;
      }
    }
    for (const name of this.#collect) {
      if (!Object.hasOwn(this.#result, name)) this.#result[name] = [];
    }
    for (const name of this.#boolean) {
      if (!Object.hasOwn(this.#result, name)) this.#result[name] = false;
    }
  }

  /** The names of one option list, with their aliases. */
  #names(names: Names<string> = []): Set<string> {
    return new Set(
      [names].flat().flatMap((
        name,
      ) => [name, ...this.#aliases.get(name) ?? []]),
    );
  }
}

/** Numbers as `parseArgs` reads them: decimal, with exponent, or hexadecimal. */
function toNumber(text: string): string | number {
  const isNumber = /^0x[0-9a-f]+$/i.test(text) ||
    /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/.test(text);
  return isNumber ? Number(text) : text;
}
