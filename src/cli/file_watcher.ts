/**
 * Notices that files have changed. Folders are watched, not files: editors
 * replace a file by another one of its name, and a watch stays with the old.
 *
 * @module
 */

import { dirname, resolve, sep } from "node:path";

/** Several changes at once are one; an editor makes more than one event. */
const DEBOUNCE_MS = 50;

/** The times of files come from a clock that ticks no more often than this. */
const FILE_CLOCK_MS = 20;

/** What to watch. */
export interface WatchTargets {
  /** Files, by their paths. */
  readonly files: readonly string[];
  /** Files, or folders with all that is in them. */
  readonly paths: readonly string[];
}

/** What a {@linkcode FileWatcher} reports. */
export interface WatchEvents {
  /** Called with what has changed, once for changes that come together. */
  readonly onChange: (paths: readonly string[]) => void;
  /** Called when a folder is watched no longer, although it should be. */
  readonly onError: (error: unknown) => void;
}

/** Watches files until it is disposed of. */
export class FileWatcher implements Disposable {
  readonly #events: WatchEvents;
  readonly #changed = new Set<string>();
  #watchers: Deno.FsWatcher[] = [];
  #debounce: ReturnType<typeof setTimeout> | undefined;

  /** Watches nothing yet. */
  constructor(events: WatchEvents) {
    this.#events = events;
  }

  /** Whether anything is watched. */
  get isWatching(): boolean {
    return this.#watchers.length > 0;
  }

  /**
   * Watches these instead of what was watched before.
   *
   * @throws {Deno.errors.NotFound} If one of `paths` does not exist.
   */
  watch({ files, paths }: WatchTargets): void {
    const trees = paths.map((path) => resolve(path));
    const [roots, single] = partition(trees, isFolder);
    const names = new Set([...files, ...single].map((path) => resolve(path)));
    const folders = new Set([...names].map((name) => dirname(name)));
    const old = this.#watchers;
    // The new ones first: nothing is missed between the two.
    this.#watchers = [
      ...[...folders].filter(exists).map((folder) =>
        this.#follow(
          Deno.watchFs(folder, { recursive: false }),
          (path) => names.has(path),
        )
      ),
      ...roots.map((root) =>
        this.#follow(
          Deno.watchFs(root),
          (path) => !isHidden(path.slice(root.length)),
        )
      ),
    ];
    for (const watcher of old) watcher.close();
  }

  #follow(
    watcher: Deno.FsWatcher,
    isWatched: (path: string) => boolean,
  ): Deno.FsWatcher {
    this.#read(watcher, isWatched).catch(this.#events.onError);
    return watcher;
  }

  async #read(
    watcher: Deno.FsWatcher,
    isWatched: (path: string) => boolean,
  ): Promise<void> {
    for await (const { kind, paths } of watcher) {
      if (kind !== "access") this.#note(paths.filter(isWatched));
    }
  }

  #note(paths: readonly string[]): void {
    if (paths.length === 0) return;
    for (const path of paths) this.#changed.add(path);
    clearTimeout(this.#debounce);
    this.#debounce = setTimeout(() => {
      const changed = [...this.#changed];
      this.#changed.clear();
      this.#events.onChange(changed);
    }, DEBOUNCE_MS);
  }

  /** Watches nothing any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#debounce);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }
}

function partition<T>(
  items: readonly T[],
  test: (item: T) => boolean,
): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

function isFolder(path: string): boolean {
  return Deno.statSync(path).isDirectory;
}

/** A module that is missing may be in a folder that is missing. */
function exists(path: string): boolean {
  try {
    return isFolder(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What editors and tools keep for themselves. */
function isHidden(path: string): boolean {
  return path.split(sep).some((part) =>
    part.startsWith(".") || part.endsWith("~") || part === "node_modules"
  );
}

/** Whether a file has changed since a time, in milliseconds. */
export function hasChanged(path: string, since: number): boolean {
  try {
    const time = Number(Deno.statSync(path).mtime);
    // Some files have a modification time in the future.
    return time > since - FILE_CLOCK_MS && time <= Date.now();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
