import { Gauge, type Registry } from "prom-client";

import type { Database } from "../storage/database.ts";

/** Registers how many bulk issues have not ended; read when somebody asks, as suido_worker. */
export function registerBulkMetrics(registry: Registry, database: Pick<Database, "query">): void {
  const open = new Gauge({
    name: "suido_bulk_issues_open",
    help: "Bulk issues that have not ended",
    registers: [registry],
    async collect() {
      // With the database away there is no figure, and the other metrics are still given.
      const [row] = await database
        .query<{ open: number }>("select count(*)::integer as open from app.open_bulk_issues()")
        .catch(() => []);
      open.reset();
      if (row !== undefined) open.set(row.open);
    },
  });
}
