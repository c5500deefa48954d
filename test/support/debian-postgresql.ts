import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { freePorts } from "../../src/cli/instance.ts";

export interface DebianServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The oldest PostgreSQL that is installed from Debian's packages, on loopback, in a folder of its own that goes with it. */
export async function startDebianServer(): Promise<DebianServer> {
  const [version] = readdirSync("/usr/lib/postgresql").toSorted((a, b) => Number(a) - Number(b));
  const bin = `/usr/lib/postgresql/${version}/bin`;
  const folder = mkdtempSync("/tmp/suido-debian-postgresql-");
  const [, uid, gid] =
    /^postgres:[^:]*:(\d+):(\d+)/m.exec(readFileSync("/etc/passwd", "utf8")) ?? [];
  const ids = process.getuid?.() === 0 ? { uid: Number(uid), gid: Number(gid) } : {};
  if (ids.uid !== undefined) chownSync(folder, ids.uid, ids.gid);
  const data = path.join(folder, "data");
  const made = spawnSync(
    path.join(bin, "initdb"),
    ["-D", data, "-U", "suido", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"],
    { ...ids, cwd: folder, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(made.stderr);
  const [port = 0] = await freePorts(1);
  const settings = [
    "fsync=off",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    `port=${port}`,
  ];
  const server = spawn(
    path.join(bin, "postgres"),
    ["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
    {
      ...ids,
      cwd: folder,
      stdio: "ignore",
    },
  );
  const url = `postgres://suido@127.0.0.1:${port}/postgres`;
  while (!(await answers(url))) await sleep(20);
  return {
    url,
    stop: async () => {
      server.kill("SIGINT");
      await once(server, "exit");
      rmSync(folder, { recursive: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
