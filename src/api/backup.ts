/** A copy of the registry's database as an answer. Knows files; nothing of what is in them. */
import { createReadStream } from "node:fs";
import { open, rm } from "node:fs/promises";
import { Readable } from "node:stream";

/** The file at `path`, which is gone from the disk with its last byte, however the answer ends. */
export async function fileAnswer(path: string): Promise<Response> {
  const handle = await open(path);
  // Nobody else is to find it; what is open can be read to its end.
  await rm(path, { force: true });
  const { size } = await handle.stat();
  const stream = createReadStream("", { fd: handle.fd });
  stream.once("close", () => void handle.close().catch(() => {}));
  return new Response(Readable.toWeb(stream) as unknown as ReadableStream, {
    headers: { "content-type": "application/vnd.sqlite3", "content-length": String(size) },
  });
}
