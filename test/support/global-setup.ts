import { existsSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { pino } from "pino";
import type { TestProject } from "vitest/node";
import { prepareDatabase } from "../../src/storage/bootstrap.ts";
import { clearOrphan } from "../../src/storage/embedded-orphan.ts";
import { startEmbedded } from "../../src/storage/embedded.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Login of a superuser. */
    adminUrl: string;
  }
}

const PREFIX = "suido-test-postgres-";

/** For tests only: what is lost with the machine may be lost. */
const SETTINGS = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  max_connections: "300",
};

interface Shared {
  users: number;
  readonly server: Promise<{ readonly url: string; stop(): Promise<void> }>;
}

/** One server for all projects of a run; each of them loads this module anew, so it is kept beside them. */
const shared = globalThis as typeof globalThis & { suidoTestServer?: Shared };

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = (shared.suidoTestServer ??= { users: 0, server: start() });
  server.users += 1;
  project.provide("adminUrl", (await server.server).url);
  return async () => {
    server.users -= 1;
    if (server.users > 0) return;
    delete shared.suidoTestServer;
    await (await server.server).stop();
  };
}

async function start(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  await sweep();
  const dataDir = path.join(tmpdir(), `${PREFIX}${process.pid}`);
  const log = pino({ level: "silent" });
  const server = await startEmbedded({ dataDir, log, settings: SETTINGS });
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query("create database template_suido");
  await prepareDatabase({ url: withDatabase(server.url, "template_suido"), log });
  await admin.query("alter database template_suido with is_template true allow_connections false");
  await admin.end();
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Servers and folders of runs that were killed. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX) || existsSync(`/proc/${name.slice(PREFIX.length)}`)) continue;
    const dataDir = path.join(tmpdir(), name);
    await clearOrphan(path.join(dataDir, "postgres"));
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
