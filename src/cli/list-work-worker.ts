import { parentPort, workerData } from "node:worker_threads";

import { openDatabase } from "../storage/database.ts";
import { createListWork } from "../va/list-work.ts";
import type { ListWorkJob } from "./list-work.ts";
import { createSystem } from "./system.ts";

// A thread that does one piece of the VA's work with long lists. What it throws ends it, and is the starter's error.
const job = workerData as ListWorkJob;
const database = openDatabase({
  url: job.kind === "load" ? job.databaseUrl : "",
  role: "suido_va",
  max: 1,
  applicationName: "suido-va-lists",
});
try {
  const work = createListWork({ ...createSystem(), database });
  if (job.kind === "bundle") {
    const bundle = await work.bundle(job.lists, job.dates);
    parentPort?.postMessage(bundle, [bundle.body.buffer as ArrayBuffer]);
  } else {
    const loaded = await work.load(job.wanted);
    const bodies = loaded.flatMap(({ judged }) =>
      "publication" in judged ? [judged.publication.body.buffer as ArrayBuffer] : [],
    );
    parentPort?.postMessage(loaded, bodies);
  }
} finally {
  await database.close();
}
