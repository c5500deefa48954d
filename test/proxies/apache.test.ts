import { rmSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { acceptedBy, pageOf, Proxy, type ProxyPlan, talk, VERSIONS } from "../support/proxy.ts";
import { ProxyClients } from "../support/proxy-clients.ts";

let clients: ProxyClients;

const MODULES = [
  "authz_core",
  "alias",
  "headers",
  "mpm_event",
  "proxy",
  "proxy_http",
  "socache_shmcb",
  "ssl",
];

/** What Debian's own configuration has besides. */
const FRAME = `ServerRoot "@FOLDER@"
ServerName localhost
PidFile "@FOLDER@/httpd.pid"
DefaultRuntimeDir "@FOLDER@"
Mutex pthread default
ErrorLog "@FOLDER@/error.log"
User nobody
Group nogroup
StartServers 1
${MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
Include "@FOLDER@/recipe.conf"
`;

const CRL = "deploy/apache/crl.conf";
const OCSP = "deploy/apache/ocsp.conf";

function planOf(recipe: string, more: Partial<ProxyPlan> = {}): ProxyPlan {
  return {
    recipe,
    words: { PRODUCT_URL: clients.productUrl },
    files: { "httpd.conf": FRAME },
    command: (file) => ["/usr/sbin/apache2", "-DFOREGROUND", "-f", file("httpd.conf")],
    ...more,
  };
}

async function started(recipe: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
  const proxy = await Proxy.prepare(planOf(recipe, more));
  await clients.layOut(proxy.folder);
  await proxy.start();
  return proxy;
}

/** Puts the published lists in force: `apachectl graceful`. */
const takeLists = (proxy: Proxy): Promise<void> =>
  proxy.untilNewWorkers(async () => {
    await clients.layOut(proxy.folder);
    proxy.signal("SIGUSR1");
  });

beforeAll(async () => {
  clients = await ProxyClients.open();
});

afterAll(() => clients.dispose());

/** As curl words the alerts by which httpd breaks off a handshake (RFC 8446 §6.2), and what it writes into its log. */
const ALERTS = [
  { name: "revoked", alert: "alert certificate revoked", log: "Error (23): certificate revoked" },
  { name: "held", alert: "alert certificate revoked", log: "Error (23): certificate revoked" },
  {
    name: "expired",
    alert: "SSL certificate verification failed",
    log: "Error (10): certificate has expired",
  },
  { name: "foreign", alert: "alert unknown ca", log: "Error (20): unable to get local issuer" },
] as const;

describe.for([CRL, OCSP])("%s", (recipe) => {
  let apache: Proxy;

  beforeAll(async () => {
    apache = await started(recipe);
  });
  afterAll(() => apache.dispose());

  it("accepts a good certificate, and tells the product whose it is whatever the client says", async () => {
    const good = clients.get("good");
    const told = acceptedBy(await apache.get(good, "--header", "X-Client-Serial: 00"));
    expect(told).toMatchObject({
      "x-client-serial": good?.serialNumber.toUpperCase(),
      "x-client-verify": "SUCCESS",
    });
  });

  it.for(ALERTS)(
    "breaks off the handshake of who comes with $name",
    async ({ name, alert, log }) => {
      expect(await apache.get(clients.get(name))).toMatchObject({ status: 0 });
      // In TLS 1.2 the alert comes before anything else; in 1.3 it races with the request.
      const { said } = await apache.get(clients.get(name), "--tls-max", "1.2");
      expect(said).toContain(alert);
      expect(apache.said()).toContain(log);
    },
  );

  it("gives who comes without a certificate its page, at every address", async () => {
    expect(pageOf(await apache.get(undefined))).toBe("403 none");
    expect(pageOf(await apache.get(undefined, "--request", "POST"))).toBe("403 none");
  });
});

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe
    .replace("SSLSessionCache none", `SSLSessionCache "shmcb:@FOLDER@/sessions"`)
    .replace("SSLSessionTickets off", "");

describe("a session of before the revocation", () => {
  it.for([
    { name: "is not taken up again, with lists", recipe: CRL },
    { name: "is not taken up again, with OCSP", recipe: OCSP },
  ])("$name", async ({ recipe }) => {
    const proxy = await started(recipe);
    try {
      const leaver = await clients.issue("leaver");
      const sessions = VERSIONS.map((version) => ({
        version,
        file: proxy.file(`${version}.session`),
      }));
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 200 });
      await clients.revoke(leaver);
      await takeLists(proxy);
      for (const session of sessions) {
        const again = await talk(proxy.port, leaver, session);
        expect(again).toMatchObject({ status: 0 });
        expect(again.text).toContain("alert certificate revoked");
      }
    } finally {
      await proxy.dispose();
    }
  });

  it("would be, without our lines", async () => {
    const proxy = await started(OCSP, { edit: careless });
    try {
      const leaver = await clients.issue("leaver");
      const sessions = VERSIONS.map((version) => ({
        version,
        file: proxy.file(`${version}.session`),
      }));
      for (const session of sessions) await talk(proxy.port, leaver, session);
      await clients.revoke(leaver);
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject({
          status: 200,
          isReused: true,
        });
    } finally {
      await proxy.dispose();
    }
  });
});

describe("lists and clocks", () => {
  it("accepts a certificate of this minute while its clock is 8 s behind", async () => {
    const proxy = await started(CRL, { prefix: ["faketime", "-f", "-8s"] });
    try {
      expect(await proxy.get(await clients.issue("new"))).toMatchObject({ status: 200 });
    } finally {
      await proxy.dispose();
    }
  });

  it("refuses everybody when the lists have expired", async () => {
    const proxy = await started(CRL, { prefix: ["faketime", "-f", "+8d"] });
    try {
      expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 0 });
      expect(proxy.said()).toContain("CRL has expired");
    } finally {
      await proxy.dispose();
    }
  });

  it("does not start without the lists", async () => {
    const proxy = await Proxy.prepare(planOf(CRL));
    try {
      await clients.layOut(proxy.folder);
      rmSync(proxy.file("current/lists.pem"));
      expect((await proxy.refuseToStart()).code).not.toBe(0);
    } finally {
      await proxy.dispose();
    }
  });
});

it("refuses everybody while the responder is away, and only then", async () => {
  const [lists, ocsp] = await Promise.all([started(CRL), started(OCSP)]);
  try {
    await clients.service.stop();
    expect(await ocsp.get(clients.get("good"))).toMatchObject({ status: 0 });
    expect(await lists.get(clients.get("good"))).toMatchObject({ status: 200 });
  } finally {
    await Promise.all([lists.dispose(), ocsp.dispose()]);
  }
});
