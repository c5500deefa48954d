import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Instance, runSuido, startInstance } from "../../src/cli/instance.ts";
import { emptyDatabase, type FreshDatabase } from "../support/database.ts";
import { signalAll, untilGone } from "../support/process-tree.ts";
import { RelyingParty } from "../support/relying-party.ts";
import { eventually, type Issued, sentencesOf, Service, type World } from "../support/service.ts";

interface Ready {
  readonly ready: boolean;
  readonly roles: Readonly<Record<string, { readonly ready: boolean; readonly detail?: string }>>;
}

const readiness = async (url: string): Promise<Ready> =>
  (await (await fetch(`${url}/health/ready`)).json()) as Ready;

const residentKb = ({ child }: Instance): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);

describe("each role in a process of its own", () => {
  let database: FreshDatabase;
  let service: Service;
  let world: World;
  let party: RelyingParty;
  const started = new Map<string, Instance>();

  async function start(roles: string): Promise<Instance> {
    const { dataDir, env } = service;
    const instance = await startInstance({ dataDir, env, roles });
    started.set(roles, instance);
    return instance;
  }
  function processOf(roles: string): Instance {
    const instance = started.get(roles);
    if (instance === undefined) throw new Error(`there is no process with ${roles}`);
    return instance;
  }
  const signerStatus = async (): Promise<string> => {
    const figures = await (await fetch(`${service.instance.urls.app}/metrics`)).text();
    return /^suido_signer_ready (\d)$/m.exec(figures)?.[1] ?? "none";
  };

  beforeAll(async () => {
    database = await emptyDatabase();
    service = await Service.prepare({ DATABASE_URL: database.url });
    // All at once, as a service manager does it: who needs another waits for it.
    await Promise.all([
      service.start({}, "app"),
      ...["va", "mtls", "worker", "signer"].map((roles) => start(roles)),
    ]);
    await service.makeKey();
    world = await service.world();
    await eventually(
      () => readiness(service.vaUrl),
      ({ ready }) => ready,
    );
    party = await RelyingParty.open(service);
  });
  afterAll(async () => {
    party.dispose();
    for (const instance of started.values()) await instance.stop();
    await service.stop();
    await service.dispose();
    await database.drop();
  });

  it("says the same three addresses in each ready line", () => {
    for (const { urls } of started.values()) expect(urls).toEqual(service.instance.urls);
  });

  it("tells the roles of the process, and no others", async () => {
    const { va, app } = service.instance.urls;
    expect(await readiness(va)).toEqual({ ready: true, roles: { va: { ready: true } } });
    expect(await readiness(app)).toEqual({ ready: true, roles: { app: { ready: true } } });
  });

  it("issues, answers and revokes as one service does", async () => {
    const issued = await service.issue(world);
    const asked = (): Promise<string> => party.ocsp(issued);
    expect(await asked()).toBe("good");
    const revoked = await service.revoke(issued.serialNumber);
    expect(revoked).toMatchObject({ status: "revoked", reason: "keyCompromise" });
    await eventually(asked, (status) => status === "revoked", 1_000);
    await service.checkInvariants();
  });

  it("publishes lists when a command asks for it", async () => {
    const { lists } = await service.command<{ lists: readonly { issuerId: string }[] }>(
      "crl",
      "publish",
    );
    expect(lists.map(({ issuerId }) => issuerId)).toEqual(["issuing-g1"]);
  });

  it("shows on the console what another process publishes", async () => {
    const page = await (await fetch(`${service.instance.urls.app}/console`)).text();
    expect(page).toContain("issuing-g1");
  });

  it("gives a VA no more than 128 MB, and its figures to this machine alone", async () => {
    expect(residentKb(processOf("va"))).toBeLessThan(128 * 1024);
    const { va } = service.instance.urls;
    const figures = await (await fetch(`${va}/metrics`)).text();
    for (const name of ["suido_ocsp_answers_total", "suido_va_list_age_seconds"])
      expect(figures).toContain(name);
    const passedOn = await fetch(`${va}/metrics`, { headers: { via: "1.1 proxy" } });
    expect(passedOn.status).toBe(404);
  });

  it.for(["va", "app", "mtls", "worker", "signer"])(
    "a second process with the role %s says so",
    async (role) => {
      const { code, stderr } = await runSuido(["serve", "--role", role], service.env);
      expect(code).toBe(1);
      expect(sentencesOf(stderr)).toEqual([
        `suido: another suido process has the role ${role} with the data folder ${service.dataDir}: stop it first, or choose another folder`,
      ]);
    },
  );

  it("one with all roles is refused beside them", async () => {
    const { code, stderr } = await runSuido(["serve"], service.env);
    expect(code).toBe(1);
    expect(sentencesOf(stderr).join(" ")).toMatch(/another suido process has the role va /);
  });

  it("goes on without its signer, which comes back at the same place after a kill", async () => {
    const signer = processOf("signer");
    const issued: Issued = await service.issue(world);
    signalAll([signer.child.pid ?? 0], "SIGKILL");
    await untilGone([signer.child.pid ?? 0]);
    await eventually(signerStatus, (status) => status === "0");
    expect(await party.ocsp(issued)).toBe("good");
    const refused = await service.call("POST", `/v1/certificates/${issued.serialNumber}/revoke`, {
      body: { reason: "superseded" },
    });
    expect(refused.status).toBe(202);
    await eventually(
      () => party.ocsp(issued),
      (status) => status === "revoked",
      1_000,
    );
    await start("signer");
    await eventually(signerStatus, (status) => status === "1");
    expect((await service.issue(world)).status).toBe("good");
    await service.checkInvariants();
  });
});

describe("some roles together", () => {
  it("a signer with others serves those elsewhere too", async () => {
    const database = await emptyDatabase();
    const service = await Service.prepare({ DATABASE_URL: database.url });
    const { dataDir, env } = service;
    let [va] = await Promise.all([
      startInstance({ dataDir, env, roles: "va" }),
      service.start({}, "app,mtls,worker,signer"),
    ]);
    try {
      await service.makeKey();
      await eventually(
        () => readiness(service.vaUrl),
        ({ ready }) => ready,
      );
      const { roles } = await readiness(service.instance.urls.app);
      expect(Object.keys(roles)).toEqual(["app", "mtls", "worker", "signer"]);
      const issued = await service.issue(await service.world());
      const party = await RelyingParty.open(service);
      expect(await party.ocsp(issued)).toBe("good");
      // And it starts anew without the database.
      await va.stop();
      const DATABASE_URL = "postgresql://nobody@127.0.0.1:1/nowhere";
      va = await startInstance({ dataDir, env: { ...env, DATABASE_URL }, roles: "va" });
      expect(await party.ocsp(issued)).toBe("good");
      party.dispose();
    } finally {
      await va.stop();
      await service.stop();
      await service.dispose();
      await database.drop();
    }
  });

  it.for([
    [
      ["--role", "va"],
      1,
      "suido: --role needs DATABASE_URL: the embedded PostgreSQL is for a single process with all roles",
    ],
    [["--role", "va,ca"], 2, "suido: --role is one or more of va, app, mtls, worker, signer"],
    [["--role", ""], 2, "suido: --role is one or more of va, app, mtls, worker, signer"],
  ] as const)("%s is refused in a sentence", async ([words, expected, sentence]) => {
    const service = await Service.prepare();
    const { code, stderr } = await runSuido(["serve", ...words], service.env);
    expect(code).toBe(expected);
    expect(sentencesOf(stderr)[0]).toBe(sentence);
    await service.dispose();
  });
});
