// What the wires of the tests share: their client, which takes what it
// is sent unless the test holds it back, and can be lost.

/** Keeps the calls of a wire, each of a `Call`. */
export class FakeClient<Call> {
  /** What the wire was called with, in order. */
  readonly calls: Call[] = [];
  #gate: PromiseWithResolvers<void> | undefined;
  #lost = false;

  /** The client takes nothing more, until `release`. */
  hold(): void {
    this.#gate = Promise.withResolvers();
  }

  /** The client takes what was held back, and all that follows. */
  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Whether nothing can be sent any more. */
  get lost(): boolean {
    return this.#lost;
  }

  /** What waits to be sent fails, and all that follows. */
  failSends(): void {
    this.#lost = true;
    this.#gate?.promise.catch(() => {});
    this.#gate?.reject(new Error("Cannot write: lost for the test"));
  }

  /** Keeps a call; resolves when the client has taken what it sends. */
  record(call: Call): Promise<void> | undefined {
    this.calls.push(call);
    if (this.#lost) {
      return Promise.reject(new Error("Cannot write: lost for the test"));
    }
    return this.#gate?.promise;
  }
}
