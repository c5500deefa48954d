import { parentPort, workerData } from "node:worker_threads";

import { checkLists } from "../ca/list-check.ts";
import { openDatabase } from "../storage/database.ts";
import type { ListCheckJob } from "./list-check.ts";
import { createSystem } from "./system.ts";

// A thread that checks the lists of one batch, and says what it found. What it throws ends it, and is the starter's error.
const { context, databaseUrl: url, lists } = workerData as ListCheckJob;
const database = openDatabase({
  url,
  role: "suido_worker",
  max: 1,
  applicationName: "suido-list-check",
});
try {
  const { verify } = createSystem();
  parentPort?.postMessage(await checkLists(database, lists, { ...context, verify }), []);
} finally {
  await database.close();
}
