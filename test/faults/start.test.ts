import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { once } from "node:events";
import path from "node:path";

import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { freePorts, runSuido } from "../../src/cli/instance.ts";
import { type Issued, sentencesOf, serveUntilEnd, Service } from "../support/service.ts";

/** Longer than any of these starts may take: whoever waits before a terminal gives up. */
const SOON_MS = 15_000;

let service: Service;
let issued: Issued;

/** A service that has worked and was stopped: each case below spoils one thing for its next start. */
beforeAll(async () => {
  service = await Service.open();
  issued = await service.issue(await service.world());
  await service.stop();
});

afterAll(() => service.dispose());

/** What people read when a start fails, and how it ended. */
interface Failure {
  readonly code: number | null;
  readonly sentences: readonly string[];
  readonly isSoon: boolean;
}

async function failingStart(
  env: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
): Promise<Failure> {
  const { code, said, tookMs } = await serveUntilEnd({ ...service.env, ...env }, { under });
  return { code, sentences: sentencesOf(said), isSoon: tookMs < SOON_MS };
}

/** One sentence of ours that says this, exit code 1, and soon. */
const oneSentence = (pattern: RegExp): Failure => ({
  code: 1,
  sentences: [expect.stringMatching(pattern) as string],
  isSoon: true,
});

/** Whatever kept it from starting has damaged nothing: without it, it starts and knows what it knew. */
async function expectUnharmed(): Promise<unknown> {
  await service.start();
  try {
    await service.checkInvariants();
    return await service.status(issued.serialNumber);
  } finally {
    await service.stop();
  }
}

async function listening(): Promise<[Server, number]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return [server, typeof address === "object" && address !== null ? address.port : 0];
}

describe("a start that cannot be ends with one sentence and exit code 1", () => {
  it("all that is wrong with the environment, by name and without the values", async () => {
    const { code, sentences } = await failingStart({
      SUIDO_VA_LISTEN: "secret-host",
      SUIDO_MAX_STALE: "secret",
      SUIDO_VA_LISTN: "secret",
      DATABASE_URL: "secret://secret",
    });
    const said = sentences.join("\n");
    expect(code).toBe(1);
    for (const name of ["SUIDO_VA_LISTEN", "SUIDO_MAX_STALE", "SUIDO_VA_LISTN", "DATABASE_URL"])
      expect(said).toContain(name);
    expect(said).not.toMatch(/: secret|secret:/);
  });

  it("what production needs and nobody has set", async () => {
    const { code, sentences } = await failingStart({ SUIDO_MODE: "production" });
    const said = sentences.join("\n");
    expect(code).toBe(1);
    for (const name of ["SUIDO_VA_URL", "SUIDO_KEK_FILE", "SUIDO_MTLS_CERT"])
      expect(said).toContain(name);
  });

  it.for(["SUIDO_VA_LISTEN", "SUIDO_APP_LISTEN", "SUIDO_MTLS_LISTEN"])(
    "a port in use: %s",
    async (name) => {
      const blocker = createServer().listen(new URL(`http://${service.env[name]}`).port);
      await once(blocker, "listening");
      try {
        expect(await failingStart()).toEqual(
          oneSentence(new RegExp(`^suido: ${name} is .*something else listens there already`)),
        );
      } finally {
        blocker.close();
      }
    },
  );

  it("a wrong key-encryption key", async () => {
    const other = path.join(service.dataDir, "other-kek");
    expect(await runSuido(["ca", "make-kek", other], service.env)).toMatchObject({ code: 0 });
    expect(await failingStart({ SUIDO_KEK_FILE: other })).toEqual(
      oneSentence(/^suido: .*key-encryption key/),
    );
  });

  it("no key-encryption key where one was named", async () => {
    const file = path.join(service.dataDir, "nothing");
    expect(await failingStart({ SUIDO_KEK_FILE: file })).toEqual(
      oneSentence(/^suido: there is no key-encryption key at /),
    );
  });

  it("a key-encryption key that others may read", async () => {
    const open = path.join(service.dataDir, "open-kek");
    copyFileSync(path.join(service.dataDir, "kek"), open);
    chmodSync(open, 0o644);
    expect(await failingStart({ SUIDO_KEK_FILE: open })).toEqual(
      oneSentence(/^suido: others may read the key-encryption key .*chmod 600/),
    );
  });

  it("a clock that stands behind the journal", async () => {
    expect(await failingStart({}, ["faketime", "-f", "-1h"])).toEqual(
      oneSentence(/^suido: .*clock/),
    );
  });

  it("another VA address than the one in the CA's certificates", async () => {
    const [port = 0] = await freePorts(1);
    expect(await failingStart({ SUIDO_VA_LISTEN: `127.0.0.1:${port}` })).toEqual(
      oneSentence(/^suido: .*SUIDO_VA_URL|^suido: .*address/),
    );
  });

  it("a data folder that cannot be written", async () => {
    const file = path.join(service.dataDir, "a-file");
    writeFileSync(file, "");
    expect(await failingStart({ SUIDO_DATA_DIR: path.join(file, "data") })).toEqual(
      oneSentence(/^suido: SUIDO_DATA_DIR names .*a-file.*a file where a folder is needed/),
    );
    expect(await failingStart({ SUIDO_DATA_DIR: file })).toEqual(
      oneSentence(/^suido: SUIDO_DATA_DIR names .*a file where a folder is needed/),
    );
  });

  it.for(["SUIDO_DATA_DIR", "SUIDO_JOURNAL_DIR", "SUIDO_KEY_STORE"])(
    "a folder where none can be made: %s",
    async (name) => {
      const folder = name === "SUIDO_KEY_STORE" ? "file:/proc/nope/x" : "/proc/nope/x";
      expect(await failingStart({ [name]: folder })).toEqual(
        oneSentence(new RegExp(`^suido: ${name} names /proc/nope/x, but it cannot be made`)),
      );
    },
  );

  it("a full disk on the first start", async () => {
    const dataDir = path.join(service.dataDir, "too-small");
    // Files may not grow beyond 64 kB: less than any part of a database.
    const failure = await failingStart({ SUIDO_DATA_DIR: dataDir }, ["prlimit", "--fsize=65536"]);
    expect(failure).toEqual(oneSentence(/^suido: /));
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("a database that nobody answers for", async () => {
    const [port = 0] = await freePorts(1);
    const DATABASE_URL = `postgres://suido:secret@127.0.0.1:${port}/suido`;
    expect(await failingStart({ DATABASE_URL })).toEqual(
      oneSentence(/^suido: the database of DATABASE_URL is not available: .*refused$/),
    );
  });

  it("a database that refuses the password", async () => {
    await service.start();
    try {
      const { url } = await service.command<{ url: string }>("db", "url");
      const wrong = new URL(url);
      wrong.password = "wrong-secret";
      const dataDir = path.join(service.dataDir, "beside");
      const [va = 0, app = 0, mtls = 0] = await freePorts(3);
      const { code, sentences } = await failingStart({
        DATABASE_URL: wrong.href,
        SUIDO_DATA_DIR: dataDir,
        SUIDO_VA_LISTEN: `127.0.0.1:${va}`,
        SUIDO_APP_LISTEN: `localhost:${app}`,
        SUIDO_MTLS_LISTEN: `localhost:${mtls}`,
      });
      expect([code, sentences]).toEqual([
        1,
        ["suido: the database of DATABASE_URL is not available: it refused the password"],
      ]);
    } finally {
      await service.stop();
    }
  });

  it("a database that takes the connection and says nothing", async () => {
    const [silent, port] = await listening();
    try {
      const DATABASE_URL = `postgres://suido:secret@127.0.0.1:${port}/suido`;
      const failure = await failingStart({ DATABASE_URL });
      expect(failure).toEqual(oneSentence(/^suido: .*database/));
      expect(failure.sentences.join("")).not.toContain("secret");
    } finally {
      silent.close();
    }
  });

  it("a journal that was changed", async () => {
    const file = path.join(service.dataDir, "journal", "000001.jsonl");
    copyFileSync(file, `${file}.kept`);
    writeFileSync(file, readFileSync(file, "utf8").replace('"kind":"list"', '"kind":"lost"'));
    try {
      expect(await failingStart()).toEqual(oneSentence(/^suido: .*journal/));
    } finally {
      renameSync(`${file}.kept`, file);
    }
  });

  it("and after all of these nothing is damaged", async () => {
    expect(existsSync(path.join(service.dataDir, "journal", "000001.jsonl"))).toBe(true);
    expect(await expectUnharmed()).toMatchObject({
      status: "good",
      certificate: issued.certificate,
    });
  });
});

describe("beside a service that runs", () => {
  it("a second one on the same folder is refused, and the first goes on", async () => {
    await service.start();
    try {
      const [va = 0, app = 0, mtls = 0] = await freePorts(3);
      const env = {
        SUIDO_VA_LISTEN: `127.0.0.1:${va}`,
        SUIDO_VA_URL: service.vaUrl,
        SUIDO_APP_LISTEN: `localhost:${app}`,
        SUIDO_MTLS_LISTEN: `localhost:${mtls}`,
      };
      expect(await failingStart(env)).toEqual(
        oneSentence(/^suido: another suido process is working with the data folder/),
      );
      expect(await service.status(issued.serialNumber)).toMatchObject({ status: "good" });
    } finally {
      await service.stop();
    }
  });

  it("a database that is newer than the program is left alone", async () => {
    const change = async (text: string): Promise<void> => {
      const { url } = await service.command<{ url: string }>("db", "url");
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(text);
      await client.end();
    };
    await service.start();
    const columns = "id, checksum, migration_name, finished_at, applied_steps_count";
    await change(
      `insert into suido._prisma_migrations (${columns}) values ('x', 'x', '20990101000000_future', now(), 1)`,
    );
    await service.stop();
    expect(await failingStart()).toEqual(
      oneSentence(/^suido: the database is newer than this program/),
    );
  });
});

describe("a first start whose listener cannot be opened", () => {
  it.for([
    { name: "a port in use", host: "127.0.0.1", says: /something else listens there already/ },
    { name: "another machine's address", host: "192.0.2.1", says: /no such address/ },
    { name: "a host without one", host: "no-such-host.invalid", says: /no address is known/ },
  ])("$name: makes no CA, so that another listener may be chosen", async ({ host, says }) => {
    const [blocker, port] = await listening();
    const fresh = await Service.prepare();
    try {
      const { code, said } = await serveUntilEnd({
        ...fresh.env,
        SUIDO_VA_LISTEN: `${host}:${port}`,
      });
      expect([code, sentencesOf(said)]).toEqual([1, [expect.stringMatching(says)]]);
      expect(said).toContain("suido: SUIDO_VA_LISTEN is ");
      expect(existsSync(path.join(fresh.dataDir, "postgres"))).toBe(false);
      await fresh.start();
      expect(await fresh.stop()).toBe(0);
    } finally {
      blocker.close();
      await fresh.dispose();
    }
  });
});
