import { once } from "node:events";
import { startEmbedded } from "../../src/storage/embedded.ts";

// Starts an embedded server in the folder that is named, says in a line of JSON how that went, and stops it when its
// standard input ends. Its tests kill it, copy it and run it as somebody else, hence a program of its own.

const [dataDir = ""] = process.argv.slice(2);
const ignore = (): void => undefined;

try {
  const server = await startEmbedded({ dataDir, log: { info: ignore, warn: ignore } });
  console.log(JSON.stringify({ url: server.url }));
  process.stdin.resume();
  await once(process.stdin, "end");
  await server.stop();
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
}
