/**
 * Loads the application that a reference names. What goes wrong is said in one
 * line: what it is, and where in the application's files.
 *
 * @module
 */

import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { stripVTControlCharacters } from "node:util";
import type { AsgiApp } from "../asgi/types.ts";
import {
  isInstance,
  readMember,
  readString,
  textOf,
} from "../asgi/user_code.ts";
import { isUrl } from "./app_reference.ts";
import { AppLoadError } from "./errors.ts";
import type { AppReference } from "./settings.ts";

/** Where an error says that it comes from: a module, a line, a column. */
const LOCATION = /\bat (?:.*?\()?((?:file|https?):\/\/\S+?):(\d+):(\d+)\)?$/gm;
/** Where this package's modules are: no application's. */
const OWN_MODULES = new URL("../", import.meta.url).href;

/**
 * Imports the module, takes the export, and calls it if it is a factory.
 *
 * @throws {AppLoadError} If there is no such module or export, if it is no
 * function, or if code of the application throws.
 */
export async function loadApp(reference: AppReference): Promise<AsgiApp> {
  const exported = pickExport(await importModule(reference), reference);
  if (!reference.factory) return exported as AsgiApp;
  const app = await callFactory(exported, reference);
  if (typeof app === "function") return app as AsgiApp;
  throw new AppLoadError(
    `Cannot load application: ${label(reference)} returned ${kindOf(app)}, ` +
      "not an application",
  );
}

async function importModule(
  { module }: AppReference,
): Promise<Record<string, unknown>> {
  const url = moduleUrl(module);
  try {
    return await import(url);
  } catch (error) {
    const isMissing = isInstance(error, Error) &&
      textIn(error, "message").startsWith(`Module not found "${url}"`);
    throw new AppLoadError(
      isMissing
        ? `Cannot load application: there is no module "${module}"`
        : `Cannot load application: ${describe(error)}`,
      { cause: error },
    );
  }
}

/** The URL of a module that is named by a path or by a URL. */
export function moduleUrl(module: string): string {
  return isUrl(module) ? module : pathToFileURL(resolve(module)).href;
}

function pickExport(
  exports: Record<string, unknown>,
  reference: AppReference,
): (...args: never[]) => unknown {
  const { module, name } = reference;
  if (!Object.hasOwn(exports, name)) {
    throw new AppLoadError(
      `Cannot load application: "${module}" has no ${
        name === "default" ? "default export" : `export "${name}"`
      }; ${choices(exports, module)}`,
    );
  }
  const value = exports[name];
  if (typeof value === "function") return value as () => unknown;
  throw new AppLoadError(
    `Cannot load application: ${label(reference)} is ${kindOf(value)}, ` +
      `not a function; ${choices(exports, module)}`,
  );
}

/** What could have been meant. */
function choices(exports: Record<string, unknown>, module: string): string {
  const names = Object.entries(exports)
    .filter(([, value]) => typeof value === "function")
    .map(([name]) => name === "default" ? module : `${module}:${name}`);
  return names.length === 0
    ? "it exports no function"
    : `choose from ${names.sort().join(", ")}`;
}

async function callFactory(
  factory: (...args: never[]) => unknown,
  reference: AppReference,
): Promise<unknown> {
  try {
    return await factory();
  } catch (error) {
    throw new AppLoadError(
      `Cannot load application: ${label(reference)} failed: ${describe(error)}`,
      { cause: error },
    );
  }
}

function label({ module, name }: AppReference): string {
  return name === "default" ? `"${module}"` : `"${module}:${name}"`;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return `${value}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** What was thrown and where, in one line. */
function describe(error: unknown): string {
  if (!isInstance(error, Error)) return `it threw ${textOf(error)}`;
  const [firstLine] = textIn(error, "message").split("\n");
  const message = firstLine.replace(/\.$| at \S+:\d+:\d+$/, "");
  // Deno wraps what went wrong before any code ran into a TypeError.
  const isWrapped = readMember(error, "code") === "ERR_MODULE_NOT_FOUND";
  const name = readString(error, "name") ?? "Error";
  const title = isWrapped ? message : `${name}: ${message}`;
  const location = locationOf(error);
  return location === undefined ? title : `${title} (${location})`;
}

/** Deno colours places in messages even where there is no terminal. */
function textIn(error: Error, key: "message" | "stack"): string {
  return stripVTControlCharacters(readString(error, key) ?? "");
}

/** The first place in the application that an error names. */
function locationOf(error: Error): string | undefined {
  const text = `${textIn(error, "message")}\n${textIn(error, "stack")}`;
  const place = [...text.matchAll(LOCATION)]
    .find(([, url]) => !url.startsWith(OWN_MODULES));
  if (place === undefined) return undefined;
  const [, url, line, column] = place;
  return `${displayUrl(url)}:${line}:${column}`;
}

/** A path as short as it can be, for what is a file. */
function displayUrl(url: string): string {
  if (!url.startsWith("file:")) return url;
  const path = fileURLToPath(url);
  const short = relative(Deno.cwd(), path);
  return short.startsWith("..") ? path : short;
}
