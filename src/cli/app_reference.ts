/**
 * How an application is named on the command line: `main.ts` for the default
 * export, `main.ts:app` for another. Modules may be URLs, and paths may begin
 * with a drive letter, so that not every colon is the one before a name.
 *
 * @module
 */

const SCHEME = /^(?:https?|file|jsr|npm|node|data|blob):/;
const NAME = /^(.+):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/su;
const DRIVE = /^[a-z]:/i;

/** Splits a text into the module and the name of the export. */
export function splitAppReference(
  text: string,
): { module: string; name: string } {
  const prefix = (SCHEME.exec(text) ?? DRIVE.exec(text))?.[0] ?? "";
  const [, module, name] = NAME.exec(text.slice(prefix.length)) ?? [];
  if (module === undefined) return { module: text, name: "default" };
  return { module: prefix + module, name };
}

/** Whether a module is named by a URL, not by a path. */
export function isUrl(module: string): boolean {
  return SCHEME.test(module);
}
