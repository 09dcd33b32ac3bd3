/**
 * The version of the package; a test holds it against `deno.json`.
 *
 * @module
 */

/** The version of the package. */
export const VERSION = "0.1.0";
