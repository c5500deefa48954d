import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { apacheCommand, apachePlan } from "../support/apache-plan.ts";
import { nginxPlan, nginxReloads } from "../support/nginx-plan.ts";
import { ask } from "../support/outside-judge.ts";
import { pageOf, Proxy, type ProxyPlan } from "../support/proxy.ts";
import { type Client, ProxyClients } from "../support/proxy-clients.ts";
import type { Certificate } from "../support/service.ts";

/**
 * The life of two issuing CAs as operators see it, with real proxies that `suido gate` keeps: the second one is announced,
 * takes over, and the first one is revoked. Each test stands on the one before.
 */
let clients: ProxyClients;
let key: string;
const proxies = new Map<string, Proxy>();

interface Recipe {
  readonly name: string;
  readonly plan: () => ProxyPlan;
  /** What gate is told to put lists in force. */
  readonly reloads: (proxy: Proxy) => readonly string[];
}

const fileOf =
  (proxy: Proxy) =>
  (name: string): string =>
    proxy.file(name);

const RECIPES: readonly Recipe[] = [
  {
    name: "nginx",
    plan: () => nginxPlan("deploy/nginx/crl.conf", { PRODUCT_URL: clients.productUrl }),
    reloads: nginxReloads,
  },
  {
    name: "Apache httpd",
    plan: () => apachePlan("deploy/apache/crl.conf", { PRODUCT_URL: clients.productUrl }),
    reloads: (proxy) =>
      ["-t", "-k graceful"].flatMap((more) => [
        "--reload",
        apacheCommand(fileOf(proxy), ...more.split(" ")).join(" "),
      ]),
  },
  {
    name: "HAProxy",
    plan: () => ({
      recipe: "deploy/haproxy/crl.cfg",
      words: { PRODUCT: new URL(clients.productUrl).host },
      command: (file) => ["/usr/sbin/haproxy", "-W", "-db", "-f", file("recipe.conf")],
    }),
    reloads: (proxy) => ["--reload", `/bin/kill -USR2 ${proxy.pid}`],
  },
];

/** Has gate put in force what is published now, and tell Suido so. */
async function follow({ name, reloads }: Recipe): Promise<void> {
  const proxy = proxies.get(name) as Proxy;
  const { app } = clients.service.instance.urls;
  const gate = await clients.gate(
    proxy.folder,
    "--app",
    app,
    "--key-file",
    proxy.file(`${name}.key`),
  );
  gate.forgetReload();
  await proxy.untilNewWorkers(async () => {
    expect(await gate.once(...reloads(proxy))).toMatchObject({ code: 0 });
  });
}

/** "let in", or that the proxy refuses as revoked: by a page, or by breaking off the handshake. */
async function at(name: string, client: string): Promise<string> {
  const reply = await (proxies.get(name) as Proxy).get(clients.get(client));
  if (reply.status === 200) return "let in";
  const isBrokenOff = reply.said.includes("alert certificate revoked");
  return isBrokenOff || pageOf(reply) === "403 revoked" ? "revoked" : JSON.stringify(reply);
}

interface Page {
  readonly items: readonly Certificate[];
}

interface Told {
  readonly decision?: string;
  readonly type?: string;
}

/** The answer of `/v1/authorize`. */
async function authorize({ cert }: Client): Promise<string> {
  const [leaf = ""] =
    /-----BEGIN[^]+?-----END CERTIFICATE-----\n/.exec(readFileSync(cert, "utf8")) ?? [];
  const headers = { authorization: `Bearer ${key}`, "x-ssl-client-cert": encodeURIComponent(leaf) };
  const answer = await fetch(`${clients.service.instance.urls.app}/v1/authorize`, { headers });
  const { decision, type } = (await answer.json()) as Told;
  return `${answer.status} ${decision ?? type ?? ""}`;
}

/** What Suido's own listener says to it. */
async function whoami({ cert, key: own }: Client): Promise<string> {
  const files = ["--insecure", "--cert", cert, "--key", own];
  const url = `${clients.service.instance.urls.mtls}/v1/whoami`;
  const { text } = await ask("curl", ["--silent", "--show-error", ...files, url]);
  return text;
}

/** What OpenSSL's verifier says with the bundles that are published now, and every check that it has. */
async function verify(client: Client): Promise<string> {
  const folder = (proxies.get("nginx") as Proxy).folder;
  const [ca, lists] = ["ca/bundle.pem", "crl/bundle.pem"].map((name) => ({
    name,
    file: `${folder}/${name.replace("/", "-")}`,
  }));
  for (const each of [ca, lists])
    writeFileSync(each?.file ?? "", await clients.service.published(each?.name ?? ""));
  const checks = ["-x509_strict", "-crl_check_all", "-purpose", "sslclient"];
  const files = ["-CAfile", ca?.file ?? "", "-CRLfile", lists?.file ?? ""];
  const { text } = await ask("openssl", ["verify", ...checks, ...files, client.cert]);
  return text.trim().replaceAll(client.cert, "");
}

/** What OpenSSL makes of Suido's answer about a certificate in a file of this CA, the root's or an issuing one. */
async function ocsp(issuerId: string, cert: string): Promise<string> {
  const { folder } = proxies.get("nginx") as Proxy;
  for (const id of [issuerId, "root-g1"])
    writeFileSync(`${folder}/${id}.pem`, await clients.service.published(`ca/${id}.pem`));
  const files = ["-issuer", `${folder}/${issuerId}.pem`, "-CAfile", `${folder}/root-g1.pem`];
  const where = ["-cert", cert, "-url", `${clients.service.vaUrl}/ocsp`, "-no_nonce"];
  const { text } = await ask("openssl", ["ocsp", ...files, ...where]);
  return text;
}

interface Shown {
  readonly issuers: readonly { readonly id: string; readonly state: string }[];
}

const states = async (): Promise<Record<string, string>> => {
  const { issuers } = await clients.service.command<Shown>("ca", "show");
  return Object.fromEntries(issuers.map(({ id, state }) => [id, state]));
};

/** For what is not there in the very moment. */
const SOON = { timeout: 15_000 };

const certificatesIn = (pem: Buffer): number => pem.toString().match(/-----BEGIN /g)?.length ?? 0;

beforeAll(async () => {
  clients = await ProxyClients.open();
  const { service } = clients;
  for (const recipe of RECIPES) {
    const body = { name: recipe.name, product: "musubi", uses: ["authorize", "file"] };
    await service.must("POST", "/v1/relying-parties", {
      body: { ...body, defaultStage: "enforce" },
    });
    const words = ["api-key", "create", "--role", "proxy", "--relying-party", recipe.name];
    ({ key } = await service.command<{ key: string }>(...words));
    const proxy = await Proxy.prepare(recipe.plan());
    proxies.set(recipe.name, proxy);
    writeFileSync(proxy.file(`${recipe.name}.key`), key, { mode: 0o600 });
    await (await clients.gate(proxy.folder)).once();
    await proxy.start();
  }
});

afterAll(async () => {
  for (const proxy of proxies.values()) await proxy.dispose();
  await clients.dispose();
});

const clientOf = (name: string): Client => clients.get(name) as Client;

describe("a second issuing CA", () => {
  it("is announced with its list, and waits for the relying parties", async () => {
    const { service } = clients;
    expect(await service.command("ca", "rotate")).toMatchObject({ issuerId: "issuing-g2" });
    for (const bundle of ["ca/bundle.pem", "crl/bundle.pem"])
      await expect.poll(async () => certificatesIn(await service.published(bundle)), SOON).toBe(3);
    await expect(service.command("ca", "activate", "issuing-g2")).rejects.toThrow(
      "Apache httpd, HAProxy, nginx still lack issuing-g2",
    );
    expect(await states()).toMatchObject({ "issuing-g1": "active", "issuing-g2": "announced" });
  });

  it("takes over by itself when the last of them has acknowledged it", async () => {
    const [last, ...first] = RECIPES;
    for (const recipe of first) await follow(recipe);
    expect(await states()).toMatchObject({ "issuing-g2": "announced" });
    await follow(last as Recipe);
    await expect
      .poll(states, SOON)
      .toMatchObject({ "issuing-g1": "retiring", "issuing-g2": "active" });
  });

  it("issues from now on, and both generations are served everywhere", async () => {
    const young = await clients.issue("young");
    const { issuer } = new X509Certificate(readFileSync(young.cert));
    expect(issuer).toContain("CN=Suido Issuing CA G2");
    for (const [id, client] of [
      ["issuing-g1", clientOf("good")],
      ["issuing-g2", young],
    ] as const) {
      expect(await verify(client)).toBe(": OK");
      expect(await ocsp(id, client.cert)).toMatch(/: good[^]*verify OK/);
      await expect.poll(() => authorize(client), SOON).toBe("200 allow");
    }
    for (const { name } of RECIPES) {
      expect(await at(name, "good")).toBe("let in");
      expect(await at(name, "young")).toBe("let in");
    }
  });

  it("revokes in both generations", async () => {
    const leaver = await clients.issue("leaver");
    await clients.revoke(leaver);
    const { cert } = leaver;
    await expect.poll(() => ocsp("issuing-g2", cert), SOON).toMatch(/: revoked/);
    await expect.poll(() => verify(leaver), SOON).toContain("certificate revoked");
    expect(await verify(clientOf("revoked"))).toContain("certificate revoked");
  });
});

describe("the revocation of an issuing CA", () => {
  it("is an answer of OCSP and of authorize at once, for the CA and all that it has issued", async () => {
    const words = ["--reason", "keyCompromise", "--by", "Suzuki,Tanaka"];
    await clients.service.command("ca", "revoke", "issuing-g1", ...words);
    const { cert } = clientOf("good");
    await expect.poll(() => ocsp("issuing-g1", cert), SOON).toMatch(/: revoked/);
    const { folder } = proxies.get("nginx") as Proxy;
    await expect
      .poll(() => ocsp("root-g1", `${folder}/issuing-g1.pem`), SOON)
      .toMatch(/: revoked[^]*Reason: keyCompromise[^]*verify OK/);
    await expect
      .poll(() => authorize(clientOf("good")), SOON)
      .toBe("403 /problems/certificate-revoked");
    expect(await authorize(clientOf("young"))).toBe("200 allow");
  });

  it("is known to Suido's own listener", async () => {
    expect(await whoami(clientOf("good"))).toContain("/problems/certificate-revoked");
    expect(JSON.parse(await whoami(clientOf("young")))).toMatchObject({
      serialNumber: clientOf("young").serialNumber,
    });
  });

  it("is on the root's list, with which OpenSSL refuses its certificates", async () => {
    await expect
      .poll(() => verify(clientOf("good")), SOON)
      .toMatch(/error 23 at 1 depth lookup: certificate revoked/);
    expect(await verify(clientOf("young"))).toBe(": OK");
  });

  it.for(RECIPES)("is followed by $name with lists", async (recipe) => {
    expect(await at(recipe.name, "good")).toBe("let in");
    await follow(recipe);
    expect(await at(recipe.name, "good")).toBe("revoked");
    expect(await at(recipe.name, "young")).toBe("let in");
  });

  it("is what the API says of its certificates, with where it is enforced", async () => {
    const { service, world } = clients;
    const { serialNumber } = clientOf("good");
    const withCa = { status: "revoked", reason: "cACompromise" };
    expect(await service.status(serialNumber)).toMatchObject(withCa);
    const propagation = await service.call("GET", `/v1/certificates/${serialNumber}/propagation`);
    expect(propagation.body).toMatchObject({ ...withCa, everywhere: true });
    const found = async (query: string): Promise<boolean> => {
      const { items } = await service.must<Page>("GET", `/v1/certificates?limit=200&${query}`);
      return items.some((item) => item.serialNumber === serialNumber);
    };
    for (const whose of ["", `&deviceId=${world.deviceId}`]) {
      expect(await found(`status=revoked${whose}`)).toBe(true);
      expect(await found(`status=good${whose}`)).toBe(false);
    }
  });

  it("leaves a way out: what it had issued is renewed by the new one", async () => {
    const route = `/v1/certificates/${clientOf("good").serialNumber}/renew`;
    const renewed = await clients.service.must<Certificate>("POST", route, { body: {} });
    expect(new X509Certificate(renewed.certificate).issuer).toContain("CN=Suido Issuing CA G2");
    expect(await clients.service.status(clientOf("good").serialNumber)).toMatchObject({
      replacedBy: renewed.serialNumber,
    });
    await clients.service.checkInvariants();
  });
});
