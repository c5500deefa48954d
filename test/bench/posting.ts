import { writeFileSync } from "node:fs";
import path from "node:path";

import { makeDeviceKey, type World } from "../support/service.ts";

/** Requests that are ready, each to be sent once. */
export interface Posted {
  /** Where the script and what it reads are written. */
  readonly folder: string;
  readonly name: string;
  /** JSON, each on one line. */
  readonly bodies: readonly string[];
  readonly authorization?: string;
}

/** A script for wrk that posts the next of these bodies at each request, and stops rather than posting one twice. */
export function posting({ authorization, bodies, folder, name }: Posted): string {
  const list = path.join(folder, `${name}.jsonl`);
  const script = path.join(folder, `${name}.lua`);
  writeFileSync(list, bodies.map((body) => `${body}\n`).join(""));
  const header =
    authorization === undefined ? "" : `wrk.headers["Authorization"] = "${authorization}"`;
  writeFileSync(
    script,
    `local next = io.lines("${list}")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
${header}
request = function()
  return wrk.format(nil, nil, nil, next() or error("all prepared requests are used up"))
end
`,
  );
  return script;
}

/** Requests of different devices by turns: two of one device wait for nothing either, but its rows would. */
export function prepared(worlds: readonly World[], count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const { accountId, deviceId } = worlds[i % worlds.length] ?? {};
    return JSON.stringify({ accountId, deviceId, csr: makeDeviceKey().csr });
  });
}
