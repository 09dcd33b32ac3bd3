/**
 * What an application has sent in one call: how much of it waits to be dealt
 * with, and the first event that was refused.
 *
 * An application that awaits its sends keeps to the client's pace, and gets
 * every rejection. One that does not would fill the memory, and go on without
 * knowing: so a call fails by which too much waits, and what was refused comes
 * to light when the call is over.
 *
 * @module
 */

import { giveWayAt } from "../streams/fair_share.ts";
import { handled } from "../streams/handled.ts";
import type { AppCalls } from "./app_calls.ts";
import { InvalidEventError, isDisconnect, wraps } from "./errors.ts";

/** So many events may wait, and so many bytes of their content. */
export const MAX_WAITING_EVENTS = 4096;
export const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** Sends in vain that wait for their turn, at most. */
const MAX_WAITING_IN_VAIN = 1024;

/** How much waits: events, and bytes of their content. */
export class Backlog {
  /** What all sends reject with, once one of them was refused. */
  rejection: Promise<never> | undefined;
  #events = 0;
  #bytes = 0;

  /** Whether nothing waits. */
  get empty(): boolean {
    return this.#events === 0;
  }

  /** How many bytes of content wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether nothing more may come; the last that came may be of any size. */
  get full(): boolean {
    return this.#events >= MAX_WAITING_EVENTS ||
      this.#bytes >= MAX_WAITING_BYTES;
  }

  /** An event waits, with `bytes` of content. */
  add(bytes: number): void {
    this.#events++;
    this.#bytes += bytes;
  }

  /** It waits no more. */
  remove(bytes: number): void {
    this.#events--;
    this.#bytes -= bytes;
  }

  /**
   * Refuses a send for which there is no room, and all that follow. With the
   * first, `fail` is called to end what they belong to.
   */
  refuse(fail: (error: InvalidEventError) => void): Promise<never> {
    if (this.rejection !== undefined) return this.rejection;
    const error = new InvalidEventError(
      `Cannot send event: ${this.#events} events with ${this.#bytes} bytes wait for the client already; await each send`,
    );
    const rejection = this.fail(error);
    fail(error);
    return rejection;
  }

  /** Lets all sends that follow reject with `error`, unless they do already. */
  fail(error: unknown): Promise<never> {
    return this.rejection ??= handled(Promise.reject(error));
  }
}

/** The sends of one call. */
export class Sends extends Backlog {
  #refused: { readonly error: unknown } | undefined;
  #inVain = 0;
  #waitingInVain = 0;

  /**
   * What comes of a send that does nothing. Applications may send in vain without
   * end, and others must get their turn.
   */
  inVain<Result>(outcome: Promise<Result>): Promise<Result> {
    // Those that nobody awaits take no memory: only some of them wait.
    if (this.#waitingInVain >= MAX_WAITING_IN_VAIN) return outcome;
    const share = giveWayAt(++this.#inVain);
    if (share === undefined) return outcome;
    this.#waitingInVain++;
    const later = share.then(() => {
      this.#waitingInVain--;
      return outcome;
    });
    return handled(later); // The outcome is handled.
  }

  /**
   * Rejects a send. If nobody awaits it, the first such rejection comes to light
   * by {@linkcode Sends.report}.
   */
  reject(error: unknown): Promise<never> {
    this.note(error);
    return this.inVain(handled(Promise.reject(error)));
  }

  /** Keeps the first error with which an event was refused; no disconnect is. */
  note(error: unknown): void {
    if (this.#refused !== undefined || isDisconnect(error)) return;
    this.#refused = { error };
  }

  /** An error with this message, and the refusal that led to it, if there is one. */
  explain(message: string): Error {
    const refused = this.#refused;
    this.#refused = undefined;
    return new Error(message, refused && { cause: refused.error });
  }

  /** Reports the refusal, unless it is known by what the application has thrown. */
  report(calls: AppCalls, thrown?: { readonly error: unknown }): void {
    const refused = this.#refused;
    if (refused === undefined) return;
    if (thrown !== undefined && wraps(thrown.error, refused.error)) return;
    calls.onRefusedEvent(refused.error);
  }
}

/** How many bytes or characters of content an event has that was not checked. */
export function contentSize(event: unknown): number {
  try {
    const { body, bytes, text } = event as Record<string, unknown>;
    const { length } = (body ?? bytes ?? text) as { length: unknown };
    return Number.isSafeInteger(length) ? length as number : 0;
  } catch {
    return 0; // It is refused when its turn has come.
  }
}
