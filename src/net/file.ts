/**
 * Files that responses are made of.
 *
 * @module
 */

/**
 * Opens a file for reading; it is closed when it is disposed of.
 *
 * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied} As the
 * operating system says.
 */
export function openFile(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { read: true });
}
