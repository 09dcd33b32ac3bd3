/**
 * How often the event loop polls sockets while it has other work to do. Deno
 * takes that from the environment that its process was started with: a variable
 * that was set later is read here too, but changes nothing about the loop.
 *
 * @module
 */

const VARIABLE = "DENO_TOKIO_EVENT_INTERVAL";
const DEFAULT_TURNS = 61;

/**
 * The turns of the event loop from one poll to the next: 61, unless the variable
 * says otherwise, and may be read.
 */
export function readEventInterval(): number {
  const { state } = Deno.permissions.querySync({
    name: "env",
    variable: VARIABLE,
  });
  if (state !== "granted") return DEFAULT_TURNS;
  const turns = Number(Deno.env.get(VARIABLE));
  return Number.isSafeInteger(turns) && turns > 0 ? turns : DEFAULT_TURNS;
}
