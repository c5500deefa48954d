import { once } from "node:events";
import { parentPort, workerData } from "node:worker_threads";

import { checkLists, foreknow } from "../ca/list-check.ts";
import { openDatabase } from "../storage/database.ts";
import type { ListCheckJob, ListCheckStart } from "./list-check.ts";
import { createSystem } from "./system.ts";

// A thread that checks the lists of one batch, and says what it found. It reads what it can before they come. What it throws
// ends it, and is the starter's error.
const { databaseUrl: url, issuerId } = workerData as ListCheckStart;
if (parentPort === null) throw new Error("this is a thread's module");
const coming = once(parentPort, "message") as Promise<[ListCheckJob]>;
const database = openDatabase({
  url,
  role: "suido_worker",
  max: 1,
  applicationName: "suido-list-check",
});
try {
  const { verify } = createSystem();
  const before = await foreknow(database, issuerId);
  const [{ context, lists }] = await coming;
  parentPort.postMessage(await checkLists(database, lists, { ...context, before, verify }), []);
} finally {
  await database.close();
}
