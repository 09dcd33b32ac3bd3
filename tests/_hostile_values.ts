// Values that an application can throw, or send, to harm the code that reads
// them: they throw when they are asked for anything, or that never come to an end.

function refuse(): never {
  throw new Error("Thrown by the test, because a value was looked at");
}

/** Throws whatever is asked of it, its class first. */
function proxy(target: object): object {
  const traps = Object.getOwnPropertyNames(Reflect)
    .map((name) => [name, refuse] as const);
  return new Proxy(target, Object.fromEntries(traps));
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(new Error(), {});
  revoke();
  return proxy;
}

/** An error each of whose members throws when it is read. */
function errorOfTraps(): Error {
  const error = new Error();
  for (const key of ["name", "message", "stack", "cause", "status", "code"]) {
    Object.defineProperty(error, key, { get: refuse });
  }
  return error;
}

class EndlessError extends AggregateError {
  override get cause(): unknown {
    return new EndlessError(new Array(1_000).fill(new Error("member")));
  }
  override set cause(_: unknown) {}
}

class OddList extends Array<unknown> {
  override slice = refuse;
  override [Symbol.iterator] = refuse;
}

/** Each is made anew, because some of them change when they are looked at. */
export const HOSTILE_VALUES: Readonly<Record<string, () => unknown>> = {
  "a proxy that refuses to say what it is": () => proxy(new Error()),
  "a revoked proxy": revoked,
  "an error whose members throw": errorOfTraps,
  "an error whose members are of odd types": () =>
    Object.assign(new Error(), { name: 1, message: {}, stack: [], cause: 0n }),
  "an error whose cause is such a proxy": () =>
    new Error("outer", { cause: proxy({}) }),
  "several errors, one of them such a proxy": () =>
    new AggregateError([proxy({}), revoked(), errorOfTraps()]),
  "several errors in a list that throws": () =>
    Object.assign(new AggregateError([]), { errors: new OddList() }),
  "several errors in a proxy": () =>
    Object.assign(new AggregateError([]), { errors: proxy([]) }),
  "an error whose causes never end": () => new EndlessError([]),
  "an object without a prototype": () => Object.create(null),
  "an object that is no text": () => ({ toString: refuse, toJSON: refuse }),
  "a function that is no text": () =>
    Object.assign(() => {}, { toString: refuse }),
  "a symbol": () => Symbol("thrown"),
  "undefined": () => undefined,
  "null": () => null,
};
