/**
 * Priorities (RFC 9218): the field Priority, and PRIORITY_UPDATE, which have the
 * same value, a dictionary (RFC 8941, section 3.2) with `u=0…7` and `i`. What a
 * client means but the server does not know, or what is out of range, is ignored;
 * so is a value that is no dictionary. None of it is ever an error.
 *
 * @module
 */

/** When a response is sent, beside others. */
export interface Priority {
  /** 0 is sent first, 7 last. */
  readonly urgency: number;
  /** Whether it takes turns with others of its urgency. */
  readonly incremental: boolean;
}

/**
 * The priority of those that ask for none. By RFC 9218 they are sent one after
 * the other; but a client that does not know priorities would have its small
 * responses wait for a large one, so they take turns.
 */
export const DEFAULT_PRIORITY: Priority = { urgency: 3, incremental: true };

const DEFAULT_URGENCY = 3;
/** Streams whose priority is remembered before they begin. */
const MAX_PENDING_PRIORITIES = 100;
/** Those of today have some 10 bytes. */
const MAX_VALUE_LENGTH = 256;

const KEY = "[a-z*][a-z0-9_.*-]*";
const BARE = String.raw`-?[0-9]{1,15}(?:\.[0-9]{1,3})?` +
  String.raw`|"(?:[ !#-\[\]-~]|\\["\\])*"` +
  String.raw`|[A-Za-z*][!#$%&'*+.^_\x60|~0-9A-Za-z:/-]*` +
  String.raw`|:[A-Za-z0-9+/=]*:|\?[01]`;
const PARAMETERS = `(?:; *${KEY}(?:=(?:${BARE}))?)*`;
const ITEM = `(?:${BARE})${PARAMETERS}`;
const INNER_LIST = String.raw`\( *(?:${ITEM}(?: +${ITEM})*)? *\)`;
/** A member: its key, and its value without parameters; no value is true. */
const MEMBER = new RegExp(
  `(${KEY})(?:=(?:(${BARE})|${INNER_LIST}))?${PARAMETERS}`,
  "y",
);
const SEPARATOR = /[ \t]*,[ \t]*/y;

/** Reads the value of the field; {@linkcode DEFAULT_PRIORITY} if it is none. */
export function parsePriority(value: string | undefined): Priority {
  const members = value === undefined ? undefined : parseMembers(value);
  if (members === undefined) return DEFAULT_PRIORITY;
  const urgency = members.get("u") ?? "";
  return {
    urgency: /^[0-7]$/.test(urgency) ? Number(urgency) : DEFAULT_URGENCY,
    incremental: members.get("i") === "?1",
  };
}

/** The members, of which the last of a name counts; none if it can't be read. */
function parseMembers(value: string): Map<string, string> | undefined {
  const text = value.replace(/^ +| +$/g, "");
  if (text.length > MAX_VALUE_LENGTH) return undefined;
  const members = new Map<string, string>();
  if (text === "") return members;
  for (let at = 0;;) {
    MEMBER.lastIndex = at;
    const match = MEMBER.exec(text);
    if (match === null) return undefined;
    const [whole, key, bare] = match;
    const isBare = whole[key.length] !== "=";
    members.set(key, isBare ? "?1" : bare ?? "(list)");
    at += whole.length;
    if (at === text.length) return members;
    SEPARATOR.lastIndex = at;
    const separator = SEPARATOR.exec(text);
    if (separator === null) return undefined;
    at += separator[0].length;
  }
}

/** What a PRIORITY_UPDATE says. */
export interface PriorityUpdate {
  /** The stream that it is about, which may not have begun. */
  readonly streamId: number;
  /** Its new priority. */
  readonly priority: Priority;
}

/** The priorities of streams that have not begun; no more than 100. */
export class PendingPriorities {
  readonly #priorities = new Map<number, Priority>();

  /** Remembers a priority, unless there are too many. */
  set({ streamId, priority }: PriorityUpdate): void {
    const priorities = this.#priorities;
    const hasRoom = priorities.size < MAX_PENDING_PRIORITIES;
    if (hasRoom || priorities.has(streamId)) priorities.set(streamId, priority);
  }

  /** Takes the priority of a stream that begins, and forgets those below it. */
  take(streamId: number): Priority | undefined {
    const priority = this.#priorities.get(streamId);
    for (const id of this.#priorities.keys()) {
      if (id <= streamId) this.#priorities.delete(id);
    }
    return priority;
  }
}
